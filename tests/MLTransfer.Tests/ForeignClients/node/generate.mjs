// Continues prompts with transformers.js, one by one and all in one batch.
// Standard input: { modelPath, model, dtype, prompts, options } as JSON. Standard output: { single, batch }, texts with their prompts.
import { json } from 'node:stream/consumers';
import { env, pipeline } from '@huggingface/transformers';

const { modelPath, model, dtype, prompts, options } = await json(process.stdin);
env.localModelPath = modelPath;
env.allowRemoteModels = false;
const generate = await pipeline('text-generation', model, { dtype });

const single = [];
for (const prompt of prompts) {
  const [{ generated_text }] = await generate(prompt, options);
  single.push(generated_text);
}

const batch = (await generate(prompts, options)).map(([{ generated_text }]) => generated_text);
process.stdout.write(JSON.stringify({ single, batch }));
