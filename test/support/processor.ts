/** Milliseconds that this process has had the processor: unlike a clock it does not count what others do meanwhile. */
export function processorMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}
