import { parseAst } from 'rolldown/parseAst';

// Counts how often each branch of the sources is taken: `__edges[n]++` at the start of every function, branch, loop body,
// case and right side of a logical operator, branches that are not written out included.

/**
 * Instruments the text of one TypeScript module. `nextId` is called for the number of each counter.
 *
 * @param {string} code
 * @param {() => number} nextId
 */
export function instrument(code, nextId) {
  const marks = new Marks(nextId);
  walk(parseAst(code, { lang: 'ts' }), marks);
  return marks.applyTo(code);
}

class Marks {
  constructor(nextId) {
    this.nextId = nextId;
    this.inserts = [];
  }

  count() {
    return `__edges[${this.nextId()}]++`;
  }

  open(position, text) {
    this.inserts.push({ position, text, isClose: false, order: this.inserts.length });
  }

  close(position, text) {
    this.inserts.push({ position, text, isClose: true, order: this.inserts.length });
  }

  /** Counts in front of a statement that may stand alone where a block could. */
  statement(node) {
    if (node.type === 'BlockStatement') {
      this.open(node.start + 1, `${this.count()};`);
    } else {
      this.open(node.start, `{${this.count()};`);
      this.close(node.end, '}');
    }
  }

  expression(node) {
    this.open(node.start, `(${this.count()},`);
    this.close(node.end, ')');
  }

  applyTo(code) {
    // What was opened last at one place is closed first.
    this.inserts.sort(
      (a, b) =>
        a.position - b.position ||
        Number(b.isClose) - Number(a.isClose) ||
        (a.isClose ? b.order - a.order : a.order - b.order),
    );
    let text = '';
    let at = 0;
    for (const insert of this.inserts) {
      text += code.slice(at, insert.position) + insert.text;
      at = insert.position;
    }
    return text + code.slice(at);
  }
}

function walk(node, marks) {
  visit(node, marks);
  for (const key in node) {
    const child = node[key];
    if (Array.isArray(child)) {
      for (const each of child) if (each !== null && typeof each?.type === 'string') walk(each, marks);
    } else if (child !== null && typeof child === 'object' && typeof child.type === 'string') {
      walk(child, marks);
    }
  }
}

function visit(node, marks) {
  switch (node.type) {
    case 'FunctionDeclaration':
    case 'FunctionExpression':
      if (node.body !== null && node.body !== undefined) body(node.body, marks);
      break;
    case 'ArrowFunctionExpression':
      if (node.body.type === 'BlockStatement' || node.body.type === 'FunctionBody') body(node.body, marks);
      else marks.expression(node.body);
      break;
    case 'IfStatement':
      // Closed later than what it follows.
      if (node.alternate === null) marks.close(node.end, ` else ${marks.count()};`);
      else marks.statement(node.alternate);
      marks.statement(node.consequent);
      break;
    case 'ForStatement':
    case 'ForInStatement':
    case 'ForOfStatement':
    case 'WhileStatement':
    case 'DoWhileStatement':
      marks.statement(node.body);
      break;
    case 'SwitchCase':
      if (node.consequent.length > 0) marks.open(node.consequent[0].start, `${marks.count()};`);
      break;
    case 'CatchClause':
      marks.statement(node.body);
      break;
    case 'ConditionalExpression':
      marks.expression(node.consequent);
      marks.expression(node.alternate);
      break;
    case 'LogicalExpression':
      marks.expression(node.right);
      break;
  }
}

function body(block, marks) {
  const statements = block.body ?? block.statements ?? [];
  const first = statements[0];
  const isSuper =
    first?.type === 'ExpressionStatement' &&
    first.expression.type === 'CallExpression' &&
    first.expression.callee.type === 'Super';
  // Nothing may stand before a call of the parent's constructor.
  marks.open(isSuper ? first.end : block.start + 1, `${marks.count()};`);
}
