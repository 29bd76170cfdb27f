// Makes music from captions with transformers.js, one by one.
// Standard input: { modelPath, model, dtype, captions, options } as JSON. Standard output: the samples of every sound.
import { json } from 'node:stream/consumers';
import { AutoTokenizer, MusicgenForConditionalGeneration, env } from '@huggingface/transformers';

const { modelPath, model, dtype, captions, options } = await json(process.stdin);
env.localModelPath = modelPath;
env.allowRemoteModels = false;
const tokenizer = await AutoTokenizer.from_pretrained(model);
const music = await MusicgenForConditionalGeneration.from_pretrained(model, { dtype });

const sounds = [];
for (const caption of captions) {
  const sound = await music.generate({ ...tokenizer(caption), ...options });
  sounds.push(Array.from(sound.data));
}

process.stdout.write(JSON.stringify(sounds));
