// Continues token ids greedily with plain ONNX Runtime. The prompts of a batch run together, padded on the left, past key values included.
// Standard input: { runtime, models: [{ file, batches }], count } as JSON, a batch being the ids of its prompts. Standard output: the new
// ids of each model, likewise.
import { readFile } from 'node:fs/promises';
import { json } from 'node:stream/consumers';

const { runtime, models, count } = await json(process.stdin);
const { InferenceSession, Tensor, env } = await import(runtime);
env.wasm.numThreads = 1; // of the WebAssembly build: its threads may wait for each other forever in Node.js

const integers = (rows) => new Tensor('int64', BigInt64Array.from(rows.flat(), BigInt), [rows.length, rows[0].length]);

async function decode(session, prompts) {
  const longest = Math.max(...prompts.map((prompt) => prompt.length));
  const pad = (prompt, padding, values) => [...Array(longest - prompt.length).fill(padding), ...values];
  const mask = prompts.map((prompt) => pad(prompt, 0, prompt.map(() => 1)));
  let ids = prompts.map((prompt) => pad(prompt, 0, prompt));
  let positions = prompts.map((prompt) => pad(prompt, 1, prompt.map((_, i) => i)));

  const past = {};
  for (const { name, type, shape } of session.inputMetadata) {
    if (name.startsWith('past_key_values.')) {
      past[name] = new Tensor(type, [], [prompts.length, shape[1], 0, shape[3]]);
    }
  }

  const result = prompts.map(() => []);
  for (let step = 0; step < count; step++) {
    const { logits, ...present } = await session.run({
      input_ids: integers(ids),
      attention_mask: integers(mask),
      position_ids: integers(positions),
      ...past,
    });
    for (const [name, value] of Object.entries(present)) {
      past[name.replace('present', 'past_key_values')] = value;
    }

    const [, length, vocabulary] = logits.dims;
    ids = prompts.map((_, row) => {
      const last = logits.data.subarray(((row + 1) * length - 1) * vocabulary, (row + 1) * length * vocabulary);
      return [last.reduce((best, logit, id) => (logit > last[best] ? id : best), 0)];
    });
    positions = positions.map((row) => [row.at(-1) + 1]);
    ids.forEach(([id], row) => result[row].push(id));
    mask.forEach((row) => row.push(1));
  }

  return result;
}

const results = [];
for (const { file, batches } of models) {
  const session = await InferenceSession.create(await readFile(file));
  const continued = [];
  for (const prompts of batches) {
    continued.push(await decode(session, prompts));
  }

  results.push(continued);
}

process.stdout.write(JSON.stringify(results));
