import type { ModuleData, TimeSeries } from '../../model/module-value.js';
import { count, counted, instant, size } from './numbers.js';
import type { ValueLines } from './value.js';

/** What the value of a module means as lines of text; the first says what it is. */
export function moduleDataLines(data: ModuleData, text: (bytes: Buffer) => string): ValueLines {
  switch (data.type) {
    case 'json':
      return under([text(Buffer.from(data.text))], 0, String);
    case 'bloom-filter':
      return under([`Bloom filter with ${counted(data.items, 'item')}`], data.layers.length, (i) => {
        const { capacity, errorRate, items, data: bits } = data.layers[i]!;
        return `layer ${i}: ${count(items)} of ${counted(capacity, 'item')}, error rate ${errorRate}, ${size(bits.length)}`;
      });
    case 'cuckoo-filter':
      return under([`cuckoo filter with ${counted(data.items, 'item')}`], data.layers.length, (i) => {
        const { buckets, data: prints } = data.layers[i]!;
        return `layer ${i}: ${counted(buckets, 'bucket')} of ${data.bucketSize}, ${size(prints.length)}`;
      });
    case 'count-min-sketch': {
      const shape = `${count(data.width)} wide, ${count(data.depth)} deep`;
      return under([`count-min sketch, ${shape}, counted ${count(data.count)}`], 0, String);
    }
    case 'top-k':
      return under([`top ${count(data.k)}`], data.items.length, (i) => {
        const { item, count: times } = data.items[i]!;
        return `${text(item)}  ${times}`;
      });
    case 't-digest':
      return under([`t-digest of weight ${data.weight}`], data.centroids.length, (i) => {
        const { mean, weight } = data.centroids[i]!;
        return `${mean}  weight ${weight}`;
      });
    case 'time-series':
      return under(seriesHead(data, text), data.values.length, (i) => {
        return `${instant(Number(data.timestampsMs[i]!))}  ${data.values[i]!}`;
      });
  }
}

function seriesHead(series: TimeSeries, text: (bytes: Buffer) => string): string[] {
  const { labels, rules, values } = series;
  return [
    `time series of ${counted(values.length, 'sample')}`,
    ...labels.map(([name, value]) => `label ${text(name)}  ${text(value)}`),
    ...rules.map(({ destination, aggregation, bucketMs }) => {
      return `rule ${aggregation} over ${count(bucketMs)} ms to ${text(destination)}`;
    }),
  ];
}

function under(head: readonly string[], length: number, line: (i: number) => string): ValueLines {
  return {
    length: head.length + length,
    line: (i) => (i < head.length ? head[i]! : line(i - head.length)),
  };
}
