/** Types of parameters and outputs, as JSON Schema names them. A leaf, so that expressions and workflows both can name it. */
export type ValueType = 'string' | 'integer' | 'number' | 'boolean' | 'object' | 'array';
