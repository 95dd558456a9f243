import { Argument, type Command } from 'commander';
import type { CommandContext } from '../context.js';
import { examples } from './help.js';

/** A command with what may follow its name. */
interface Words {
  /** Words of the command, such as `dataset add`; empty for the program itself. */
  readonly path: string;
  readonly words: readonly string[];
}

/** `completion`: a script that lets a shell complete commands and options. */
export function addCompletionCommand(program: Command, context: CommandContext): void {
  program
    .command('completion')
    .description('print a script for the shell that completes commands and options')
    .addArgument(new Argument('<shell>', 'the shell that is used').choices(['bash', 'zsh', 'fish']))
    .addHelpText(
      'after',
      examples(
        'skipring completion fish > ~/.config/fish/completions/skipring.fish',
        'source <(skipring completion bash)',
        'source <(skipring completion zsh)',
      ),
    )
    .action((shell: 'bash' | 'zsh' | 'fish') => {
      const all = wordsOf(program, '');
      // A newline ends the script already.
      context.print(shell === 'fish' ? fish(all) : bash(all, shell === 'zsh'));
    });
}

function wordsOf(command: Command, path: string): Words[] {
  const names = command.commands.map((child) => child.name());
  const options = command.options.map(({ long, short }) => long ?? short ?? '');
  const children = command.commands.flatMap((child) =>
    wordsOf(child, path === '' ? child.name() : `${path} ${child.name()}`),
  );
  return [{ path, words: [...names, ...options, '--help'] }, ...children];
}

/** Also for zsh, which reads the completions of bash. */
function bash(all: readonly Words[], isZsh: boolean): string {
  const [root] = all;
  const cases = all
    .map(({ path, words }) => `    '${path}') words='${words.join(' ')}' ;;`)
    .join('\n');
  return `${isZsh ? 'autoload -U +X bashcompinit && bashcompinit\n' : ''}_skipring() {
  local path='' word next words
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    next="\${path:+$path }$word"
    case "$next" in
${all.map(({ path }) => `      '${path}') path="$next" ;;`).join('\n')}
    esac
  done
  case "$path" in
${cases}
    *) words='${root?.words.join(' ') ?? ''}' ;;
  esac
  COMPREPLY=($(compgen -W "$words" -- "\${COMP_WORDS[COMP_CWORD]}"))
  if [ \${#COMPREPLY[@]} -eq 0 ]; then COMPREPLY=($(compgen -f -- "\${COMP_WORDS[COMP_CWORD]}")); fi
}
complete -F _skipring skipring`;
}

function fish(all: readonly Words[]): string {
  return all
    .flatMap(({ path, words }) => {
      const condition =
        path === ''
          ? '__fish_use_subcommand'
          : path
              .split(' ')
              .map((word) => `__fish_seen_subcommand_from ${word}`)
              .join('; and ');
      return words.map((word) =>
        word.startsWith('--')
          ? `complete -c skipring -n '${condition}' -l ${word.slice(2)}`
          : `complete -c skipring -n '${condition}' -a ${word}`,
      );
    })
    .join('\n');
}
