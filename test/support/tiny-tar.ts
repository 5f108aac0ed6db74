/** A tar of small files (POSIX ustar), in memory: contexts of builds, archives of images. */
export function tinyTar(files: Readonly<Record<string, string>>): Buffer {
  return Buffer.concat([...Object.entries(files).map(([name, content]) => entry(name, content)), Buffer.alloc(1024)]);
}

function entry(name: string, content: string): Buffer {
  const size = Buffer.byteLength(content);
  const head = Buffer.alloc(512);
  head.write(name, 0);
  head.write("0000644\0", 100);
  head.write("0000000\0", 108);
  head.write("0000000\0", 116);
  head.write(`${size.toString(8).padStart(11, "0")}\0`, 124);
  head.write("00000000000\0", 136);
  head.write("        ", 148);
  head.write("0ustar\0", 156);
  head.write("00", 263);
  const sum = head.reduce((total, byte) => total + byte, 0);
  head.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
  const body = Buffer.alloc(Math.ceil(size / 512) * 512);
  body.write(content);
  return Buffer.concat([head, body]);
}
