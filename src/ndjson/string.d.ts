/** Present since Node.js 20 but missing from the library types that this project compiles against. */
interface String {
  isWellFormed(): boolean;
}
