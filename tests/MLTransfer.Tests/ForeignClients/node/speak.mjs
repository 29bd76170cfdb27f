// Speaks texts with transformers.js.
// Standard input: { modelPath, model, texts } as JSON. Standard output: { ids, waveforms }, an array for each text.
import { json } from 'node:stream/consumers';
import { AutoTokenizer, VitsModel, env } from '@huggingface/transformers';

const { modelPath, model, texts } = await json(process.stdin);
env.localModelPath = modelPath;
env.allowRemoteModels = false;
const tokenizer = await AutoTokenizer.from_pretrained(model);
const network = await VitsModel.from_pretrained(model, { dtype: 'fp32' });

const ids = [];
const waveforms = [];
for (const text of texts) {
  const inputs = tokenizer(text);
  const { waveform } = await network(inputs);
  ids.push(Array.from(inputs.input_ids.data, Number));
  waveforms.push(Array.from(waveform.data));
}

process.stdout.write(JSON.stringify({ ids, waveforms }));
