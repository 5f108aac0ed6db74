/**
 * Whether a name of an image, such as `db`, could also be read as the beginning of an id. Docker's engine looks for such
 * an id where no image has the name, so who asks for a name must look at what was found. Docker shows ids by twelve
 * digits: fewer are meant as a name.
 */
export const isHexName = (text: string): boolean => /^[0-9a-f]{1,11}$/.test(text);
