using AudioGeneration.Tunes;
using MLTransfer.Making;
using MLTransfer.Torch.Generation.Music;
using MLTransfer.Torch.Metrics;
using MLTransfer.Torch.Networks.Codecs.EnCodec;
using MLTransfer.Torch.Networks.MusicGen;
using MLTransfer.Torch.Sounds;
using MLTransfer.Torch.Tokenization;
using MLTransfer.Torch.Training;
using MLTransfer.Torch.Training.Audio;
using static TorchSharp.torch;

namespace MakeTunesModel;

/// <summary>Trains the text encoder and the decoder on codes of tunes.</summary>
internal sealed class MusicStage(string folder, int seed, TrainingLog log) : IProgress<MusicProgress>
{
    private const int Tunes = 9_000;
    private const int Vocabulary = 160;

    /// <summary>Trains a model around a codec.</summary>
    /// <param name="codec">It stays the caller's.</param>
    /// <param name="steps">Of the training.</param>
    /// <param name="share">Of the tunes, for a trial.</param>
    /// <param name="heldOut">To measure with.</param>
    public (MusicGenModel Model, TextTokenizer Tokenizer) Run(EnCodecModel codec, int steps, double share, TuneSet heldOut)
    {
        var set = new TuneSet((int)Math.Max(64, Tunes * share), seed);
        var tokenizer = Tokenizer();
        var model = MusicGenModel.Create(ModelSizes.Music(tokenizer.VocabularySize), seed);
        CopyCodec(codec, model.Codec);
        log.Write(
            $"music: {Count(model.TextEncoder):N0} parameters read {tokenizer.VocabularySize} tokens, {Count(model.Decoder):N0} write "
            + $"codes of {set.Count} tunes");
        var cache = new SoundCodeCache(model, Path.Combine(folder, "codes"));
        var result = new MusicTrainer(
            model,
            new MusicTrainingOptions
            {
                MaximumSteps = steps,
                BatchSize = 16,
                LearningRate = 1.5e-3,
                LearningRateSchedule = LearningRateSchedule.Cosine,
                WarmupSteps = Math.Min(200, steps / 10),
                WeightDecay = 0.01,
                AdamBeta2 = 0.98,
                ConditionDropout = 0.1,
                TrainTextEncoder = true,
                EvaluationSteps = Math.Max(1, steps / 8),
                EvaluationBatchSize = 16,
                CheckpointSteps = 200,
                CheckpointLimit = 2,
                OutputDirectory = folder,
                Resume = true,
                Seed = seed,
            },
            Examples(set, cache), Examples(heldOut, cache), tokenizer).Train(this);
        log.Write(
            $"music: {result.Steps} steps in {result.Elapsed.TotalMinutes:F1} minutes; "
            + $"held-out loss {result.ValidationLoss:F4} nats a code");
        return (model, tokenizer);
    }

    public void Report(MusicProgress value)
    {
        if (value.Validation is { } held)
        {
            log.Write(
                $"music step {value.Step}: held-out loss {held.Loss:F4} nats a code, by codebook "
                + string.Join(' ', held.CodebookLosses.Select(loss => $"{loss:F3}")));
        }
        else if (value.Step % 50 == 0)
        {
            log.Write(
                $"music step {value.Step}: loss {value.Loss:F4}, {value.FramesPerSecond:F0} frames/s, {value.Remaining:hh\\:mm\\:ss} left");
        }
    }

    /// <summary>Makes music from captions and hears whether it is as they say, and how far its sounds are from real ones.</summary>
    public static void Measure(
        MusicGenModel model, TextTokenizer tokenizer, int count, TuneChecker checker, string folder, TrainingLog log)
    {
        var real = new TuneSet(count, seed: 77);
        var styles = Enumerable.Range(0, count).Select(index => real[index].Style).ToList();
        var made = new MusicGenerator(model, tokenizer).Generate(
            [.. styles.Select(style => MusicPrompt.FromText(TuneCaptions.Full(style)))],
            new MusicGenerationOptions { MaximumSeconds = Tune.Seconds, Seed = 1, BatchSize = 16, TopK = 100 });
        foreach (var (index, style) in styles.Take(6).Index())
        {
            var name = TuneCaptions.Full(style).Replace(", ", "-").Replace(' ', '-');
            WaveformFile.Write(Path.Combine(folder, $"{name}.wav"), made[index].Sound);
        }

        using var scope = NewDisposeScope();
        var distance = FeatureDistances.FrechetDistance(
            Frames(model.Codec, made.Select(music => music.Sound)), Frames(model.Codec, new TuneSet(count, seed: 78).Sounds()));
        var floor = FeatureDistances.FrechetDistance(
            Frames(model.Codec, real.Sounds()), Frames(model.Codec, new TuneSet(count, seed: 78).Sounds()));
        log.Write($"captions obeyed by {count} real tunes: {TuneScore.Of(styles, [.. real.Sounds().Select(checker.Check)])}");
        log.Write($"captions obeyed by as many made ones: {TuneScore.Of(styles, [.. made.Select(music => checker.Check(music.Sound))])}");
        log.Write($"Frechet distance of codec embeddings to real tunes: {distance:F3}; of other real tunes {floor:F3}");
    }

    private static Tensor Frames(EnCodecModel codec, IEnumerable<Waveform> sounds) => cat(
        [.. sounds.Select(sound => codec.Embed(tensor(sound.Samples.ToArray()).view(1, 1, -1))[0].t())]); // [frames, width]

    private static long Count(nn.Module module) => module.parameters().Sum(parameter => parameter.numel());

    private static List<MusicExample> Examples(TuneSet tunes, SoundCodeCache cache) =>
    [
        .. Enumerable.Range(0, tunes.Count).Select(index =>
        {
            var (_, caption, _, sound) = tunes[index];
            return new MusicExample(caption, cache.Encode(sound));
        }),
    ];

    /// <summary>Pieces of words, with all letters, so that a caption may have other words later.</summary>
    private TextTokenizer Tokenizer()
    {
        var random = new Random(seed);
        var captions = Enumerable.Range(0, 5_000).Select(_ => TuneCaptions.Draw(TuneStyle.Draw(random, Scale.Known), random));
        return TextTokenizer.Train(
            captions.Concat(Enumerable.Repeat("the quick brown fox jumps over the lazy dog", 3)),
            new TokenizerTrainingOptions
            {
                Kind = TokenizerKind.Unigram,
                VocabularySize = Vocabulary,
                Lowercases = true,
                SpecialTokens = new SpecialTokens { Padding = "<pad>", EndOfSequence = "</s>", Unknown = "<unk>" },
                ModelMaximumLength = 64,
            });
    }

    private static void CopyCodec(EnCodecModel from, EnCodecModel to)
    {
        using var gradients = no_grad();
        var weights = to.state_dict();
        foreach (var (name, weight) in from.state_dict())
            weights[name].copy_(weight);
    }
}
