using MLTransfer.Making;
using MLTransfer.Torch.Generation.Images;
using MLTransfer.Torch.Networks.Codecs.DiscreteVae;
using MLTransfer.Torch.Networks.Dalle;
using MLTransfer.Torch.Tokenization;
using MLTransfer.Torch.Training;
using MLTransfer.Torch.Training.Adversarial;
using MLTransfer.Torch.Training.Images;
using TextToImage.Scenes;
using static TorchSharp.torch;

namespace MakeScenesModel;

/// <summary>Trains the transformer on captions and codes of scenes.</summary>
internal sealed class PictureStage(string folder, int seed, TrainingLog log) : IProgress<TextToImageProgress>
{
    private const int Pictures = 30_000;
    private const int Vocabulary = 160;

    /// <summary>Trains a model around a codec.</summary>
    /// <param name="codec">It becomes part of the model.</param>
    /// <param name="steps">Of the training.</param>
    /// <param name="share">Of the pictures, for a trial.</param>
    public (DalleModel Model, TextTokenizer Tokenizer) Run(DiscreteVaeModel codec, int steps, double share)
    {
        var tokenizer = Tokenizer();
        var model = DalleModel.Create(ModelSizes.Pictures(tokenizer.VocabularySize), seed, codec: codec);
        var examples = Examples(codec, (int)Math.Max(64, Pictures * share), seed);
        log.Write(
            $"pictures: {model.TrainableParameters().Sum(p => p.Parameter.numel()):N0} parameters read {tokenizer.VocabularySize} tokens "
            + $"and write codes of {examples.Count} pictures");
        var result = new TextToImageTrainer(
            model,
            new TextToImageTrainingOptions
            {
                MaximumSteps = steps,
                BatchSize = 16,
                LearningRate = 1.5e-3,
                LearningRateSchedule = LearningRateSchedule.Cosine,
                WarmupSteps = Math.Min(200, steps / 10),
                WeightDecay = 0.01,
                AdamBeta2 = 0.98,
                ConditionDropout = 0.1,
                EvaluationSteps = Math.Max(1, steps / 8),
                CheckpointSteps = 200,
                CheckpointLimit = 2,
                SamplePrompts = ["two red circles left of a blue square", "a green triangle above three purple diamonds"],
                OutputDirectory = folder,
                Resume = true,
                Seed = seed,
            },
            examples, Examples(codec, (int)Math.Max(16, 256 * share), seed: 1000), tokenizer).Train(this);
        log.Write(
            $"pictures: {result.Steps} steps in {result.Elapsed.TotalMinutes:F1} minutes; held-out loss {result.ValidationLoss:F4}");
        return (model, tokenizer);
    }

    public void Report(TextToImageProgress value)
    {
        if (value.Validation is { } held)
        {
            log.Write(
                $"pictures step {value.Step}: held-out loss {held.Loss:F4}, "
                + string.Join(", ", held.Parts.Select(part => $"{part.Key} {part.Value:F4}")));
        }
        else if (value.Step % 50 == 0)
        {
            log.Write(
                $"pictures step {value.Step}: loss {value.Loss:F4}, {value.ImagesPerSecond:F0} pictures/s, "
                + $"{value.Remaining:hh\\:mm\\:ss} left");
        }
    }

    /// <summary>Makes pictures from captions of a style and looks whether they are as the captions say.</summary>
    public static void Measure(
        DalleModel model, TextTokenizer tokenizer, string name, SceneStyle style, int count, string folder, TrainingLog log)
    {
        var random = new Random(77);
        var scenes = Enumerable.Range(0, count).Select(_ => Scene.Draw(style, random)).ToList();
        var made = new TextToImageGenerator(model, tokenizer).Generate(
            [.. scenes.Select(scene => ImagePrompt.FromText(SceneCaptions.Full(scene)))],
            new ImageGenerationOptions { Seed = 1, BatchSize = 32, TopK = 100 });
        using var scope = NewDisposeScope();
        var images = stack(made.Select(picture => tensor(picture.Pixels).view(3, picture.Side, picture.Side)));
        var seen = SceneSet.ToPictures((images * 255).round().to(ScalarType.Byte)).Select(SceneChecker.Check).ToList();
        log.Write($"captions of the {name} obeyed by {count} pictures: {SceneScore.Of(scenes, seen)}");
        ImageGrid.Write(Path.Combine(folder, $"pictures-{name}.png"), 2 * images - 1, columns: 12);
    }

    private static List<TextToImageExample> Examples(DiscreteVaeModel codec, int count, int seed)
    {
        var set = new SceneSet(count, seed, static random => DrawWithCaption(random).Picture);
        using var scope = NewDisposeScope();
        var codes = codec.Encode(SceneSet.ToTensor(set.Pictures()).to(ScalarType.Float32) / 255);
        return
        [
            .. Enumerable.Range(0, count).Select(row => new TextToImageExample(
                DrawWithCaption(set.RandomOf(row)).Caption, [.. codes[row].data<long>().ToArray().Select(code => (int)code)])),
        ];
    }

    private static (string Caption, ScenePicture Picture) DrawWithCaption(Random random)
    {
        var scene = Scene.Draw(SceneStyle.Day, random);
        var caption = SceneCaptions.Draw(scene, random);
        return (caption, SceneComposer.Draw(scene, SceneStyle.Day, random));
    }

    /// <summary>Pieces of words, with all letters, so that a caption may have other words later.</summary>
    private TextTokenizer Tokenizer()
    {
        var random = new Random(seed);
        var captions = Enumerable.Range(0, 5_000).Select(_ => SceneCaptions.Draw(Scene.Draw(SceneStyle.Day, random), random));
        return TextTokenizer.Train(
            captions.Concat(Enumerable.Repeat("the quick brown fox jumps over the lazy dog", 3)),
            new TokenizerTrainingOptions
            {
                Kind = TokenizerKind.Unigram,
                VocabularySize = Vocabulary,
                Lowercases = true,
                SpecialTokens = new SpecialTokens { Padding = "<pad>", EndOfSequence = "</s>", Unknown = "<unk>" },
                ModelMaximumLength = ModelSizes.TextLength,
            });
    }
}
