import { Command } from 'commander';
import { editorSchema } from '../config/editor-schema.ts';

export function schemaCommand(): Command {
  return new Command('schema')
    .description('print the JSON Schema of the config, for editors')
    .addHelpText(
      'after',
      `
VS Code (with its YAML extension) and others complete and explain options when the config begins with
  # yaml-language-server: $schema=./config.schema.json

Example:
  $ versive-relay schema > config.schema.json`,
    )
    .action(async () => {
      process.stdout.write(`${JSON.stringify(await editorSchema(), null, 2)}\n`);
    });
}
