// Caselaw's side of promptfoo: a provider that runs your agent, and the assertion that runs the
// checks of a case in one process of the command `caselaw`.
//
// CASELAW_AGENT    your agent as a command: it reads a JSON object with id, messages, fixtures and
//                  documents from standard input and prints its answer: a text, or
//                  {"caselaw": {"answer": "...", "calls": [...]}} to tell its calls of tools too
// CASELAW_COMMAND  how `caselaw` is called where it is not on the PATH
const { spawn } = require('node:child_process');
const { readFileSync } = require('node:fs');
const { join } = require('node:path');
const { createInterface } = require('node:readline');

const CASES = join(__dirname, 'cases.jsonl');
let cases;
let checker;

function caseOf(id) {
  if (!cases) {
    const lines = readFileSync(CASES, 'utf8').split('\n').filter(Boolean);
    cases = new Map(lines.map((line) => JSON.parse(line)).map((one) => [one.id, one]));
  }
  return cases.get(id);
}

// What an agent may see of a case: nothing of what is expected of it.
function given(one) {
  const tools = one.tools || {};
  const messages =
    typeof one.input === 'string' ? [{ role: 'user', content: one.input }] : one.input.messages;
  const fixtures = tools.fixtures || [];
  return { id: one.id, messages, fixtures, documents: tools.documents || [] };
}

// A structured answer that had to travel as a text.
function unpacked(output) {
  if (typeof output !== 'string' || !output.trimStart().startsWith('{"caselaw"')) return output;
  try {
    const value = JSON.parse(output);
    return Object.keys(value).length === 1 ? value.caselaw : output;
  } catch {
    return output;
  }
}

function startChecker() {
  const command = process.env.CASELAW_COMMAND || 'caselaw';
  const words = command.match(/"[^"]*"|'[^']*'|\S+/g).map((one) => one.replace(/^["']|["']$/g, ''));
  const child = spawn(words[0], [...words.slice(1), 'check-answer', '--cases', CASES, '--stream'], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const waiting = [];
  const failAll = (why) => {
    for (const one of waiting.splice(0)) one.reject(new Error(why));
    checker = undefined;
  };
  child.on('error', () =>
    failAll(`no command ${words[0]}: set CASELAW_COMMAND to CHECKOUT/.venv/bin/caselaw`),
  );
  child.on('exit', () => failAll('caselaw check-answer ended; its own message says why'));
  child.stdin.on('error', () => {});
  createInterface({ input: child.stdout }).on('line', (line) => {
    waiting.shift().resolve(JSON.parse(line));
    hold(waiting.length > 0);
  });
  // The process keeps promptfoo running only while an answer is being checked.
  const hold = (busy) => {
    for (const one of [child, child.stdout, child.stdin]) busy ? one.ref() : one.unref();
  };
  return (request) =>
    new Promise((resolve, reject) => {
      waiting.push({ resolve, reject });
      hold(true);
      child.stdin.write(`${JSON.stringify(request)}\n`);
    });
}

function line(result) {
  const word = { true: 'passed', false: 'FAILED', null: 'undecided' }[String(result.passed)];
  const expects = result.expects ? `: the agent ${result.expects}` : '';
  return `${result.kind} ${word}${expects}${result.why ? ` (${result.why})` : ''}`;
}

// The assertion: `value: file://caselaw.cjs:checks`.
async function checks(output, context) {
  checker = checker || startChecker();
  const verdict = await checker({ case: context.vars.case, answer: unpacked(output) });
  if (verdict.error) throw new Error(verdict.error);
  const decided = verdict.checks.filter((one) => one.passed !== null);
  const lines = verdict.checks.map(line);
  if (decided.length === 0) lines.unshift('UNDECIDED: no check could tell, so this is no pass');
  return {
    pass: verdict.passed === true,
    score: decided.length ? decided.filter((one) => one.passed).length / decided.length : 0,
    reason: lines.join('\n'),
  };
}

// The provider: `providers: file://caselaw.cjs`.
class Agent {
  id() {
    return 'caselaw-agent';
  }

  callApi(prompt, context) {
    const command = process.env.CASELAW_AGENT;
    if (!command) {
      return { error: 'say which agent to test: CASELAW_AGENT="python my_agent.py"' };
    }
    return new Promise((resolve) => {
      const child = spawn(command, { shell: true, stdio: ['pipe', 'pipe', 'inherit'] });
      const parts = [];
      child.on('error', (error) => resolve({ error: `the agent did not start: ${error.code}` }));
      child.stdout.on('data', (part) => parts.push(part));
      child.stdin.on('error', () => {});
      child.on('close', (code) => {
        if (code !== 0) return resolve({ error: `the agent ended with exit code ${code}` });
        return resolve({ output: Buffer.concat(parts).toString('utf8').replace(/\n$/, '') });
      });
      child.stdin.end(JSON.stringify(given(caseOf(context.vars.case))));
    });
  }
}

module.exports = Agent;
module.exports.default = Agent;
module.exports.checks = checks;
