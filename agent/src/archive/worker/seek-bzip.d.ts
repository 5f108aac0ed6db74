/** The part that is used of a library without types: a whole file of one stream or several, byte by byte. */
declare module "seek-bzip" {
  type Source = { readByte(): number; read(target: Uint8Array, offset: number, length: number): number; eof(): boolean };
  type Sink = { writeByte(byte: number): void };
  const Bunzip: { decode(source: Source, sink: Sink, isMultiStream: boolean): unknown };
  export default Bunzip;
}
