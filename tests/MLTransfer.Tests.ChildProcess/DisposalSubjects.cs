using Microsoft.ML;
using Microsoft.ML.Data;
using MLTransfer.Onnx;
using MLTransfer.Torch.Generation;
using MLTransfer.Torch.Generation.Music;
using MLTransfer.Torch.Metrics;
using MLTransfer.Torch.Networks.StyleGan2;
using MLTransfer.Torch.Networks.Transformers;
using MLTransfer.Torch.Sounds;
using MLTransfer.Torch.Tokenization;
using MLTransfer.Torch.Training.Adversarial;
using MLTransfer.Torch.Training.Described;
using MLTransfer.Torch.Training.Language;
using static TorchSharp.torch;

namespace MLTransfer.Tests.ChildProcess;

/// <summary>The library's objects that own memory outside of .NET, each made anew.</summary>
internal sealed class DisposalSubjects : IDisposable
{
    private static readonly GenerationOptions s_short = new() { MaximumNewTokens = 20, EndOfSequenceIds = [] };

    private readonly MLContext _ml = new(seed: 1);
    private readonly string _folder;
    private readonly IDataView _stories;
    private readonly IDataView _numbers;
    private readonly IDataView _vectors;
    private readonly ImageSet _images = new(randint(0, 256, [8, 3, 16, 16], ScalarType.Byte));
    private int _names;

    public DisposalSubjects(string folder)
    {
        _folder = folder;
        _stories = _ml.Data.LoadFromEnumerable(Enumerable.Range(0, 3).Select(i => new StoryRow
        {
            Opening = $"Story {i}: the old man", Text = $"Story {i}: the old man looked at the red planet, and the planet looked back.",
        }));
        _numbers = _ml.Data.LoadFromEnumerable(Enumerable.Range(0, 5).Select(i => new NumberRow { Number = i }));
        _vectors = _ml.Data.LoadFromEnumerable(Enumerable.Range(0, 5).Select(i => new VectorRow { Values = [i, -i, 1] }));
        using (var text = (TextGeneratorTransformer)Load("text.zip"))
        {
            _ml.Generation.SaveModelFolder(text, ModelFolder);
            _ml.Generation.ExportToOnnx(text, OnnxFolder, new OnnxExportOptions { Check = false });
        }

        Kinds = [Text, Image, Captions, Network, Music, Speech, OnnxText, Engine, TextTraining, ImageTraining, NetworkTraining];
    }

    /// <summary>Make an object of each kind; the number decides what varies.</summary>
    public IReadOnlyList<Func<int, DisposalSubject>> Kinds { get; }

    private string ModelFolder => Path.Combine(_folder, "model");

    private string OnnxFolder => Path.Combine(_folder, "onnx");

    public void Dispose() => _images.Dispose();

    private DisposalSubject Text(int seed)
    {
        var precision = (seed % 3) switch
        {
            0 => DecodingPrecision.Float32,
            1 => DecodingPrecision.BFloat16,
            _ => DecodingPrecision.Int8,
        };
        var model = TextGenerationModel.Load(ModelFolder);
        var transformer = (TextGeneratorTransformer)_ml.Transforms.Text.GenerateText("Continuation", "Opening", model, new()
        {
            DecodingPrecision = precision, Generation = s_short,
        }).Fit(_stories);
        return new DisposalSubject("text", [
            ("transform", () => Transform<string>(transformer, _stories, "Continuation")),
            ("predict", () => Predict(transformer)),
            ("stream", () => ReadAsync(_ml.Generation.StreamAsync(transformer, "the red")).GetAwaiter().GetResult()),
            ("leave a stream unread", () => BeginAsync(_ml.Generation.StreamAsync(transformer, "the red")).GetAwaiter().GetResult()),
            ("generate", () => model.Generate("the red", s_short)),
            ("evaluate", () => _ml.Generation.Evaluate(transformer, _stories, "Text")),
            ("save", () => _ml.Generation.Save(transformer, _stories.Schema, NewPath())),
            ("save as folder", () => _ml.Generation.SaveModelFolder(transformer, NewPath())),
            ("export", () => _ml.Generation.ExportToOnnx(transformer, NewPath(), new OnnxExportOptions { Check = seed % 2 == 0 })),
        ], [
            () => { transformer.Dispose(); model.Dispose(); },
            () => { model.Dispose(); transformer.Dispose(); },
            () => { model.Network.Dispose(); transformer.Dispose(); },
        ], () => model.Network.TokenEmbedding.IsInvalid);
    }

    private DisposalSubject Image(int seed)
    {
        var transformer = (ImageGeneratorTransformer)Load("image.zip");
        var (model, weights) = (transformer.Model, transformer.Model.named_parameters().Select(pair => pair.parameter).ToList());
        return new DisposalSubject("image", [
            ("transform", () => Transform<MLImage>(transformer, _numbers, "Picture")),
            ("generate", () => Generate(model.Generator)),
            ("discriminate", () => Discriminate(model)),
            ("measure", () => GeneratorEvaluator.Evaluate(
                model.Generator, _images, new DiscriminatorFeatureExtractor(model.Discriminator), 4)),
            ("save", () => _ml.Generation.Save(transformer, _numbers.Schema, NewPath())),
            ("save as folder", () => _ml.Generation.SaveModelFolder(transformer, NewPath())),
            ("export", () => _ml.Generation.ExportToOnnx(transformer, NewPath())),
        ], seed % 2 == 0 ? [transformer.Dispose] : [model.Dispose], () => weights.TrueForAll(weight => weight.IsInvalid));
    }

    private DisposalSubject Captions(int seed)
    {
        var transformer = (TextToImageTransformer)Load("captions.zip");
        var weights = transformer.Network.named_parameters().Select(pair => pair.parameter).ToList();
        return new DisposalSubject("captions", [
            ("transform", () => Transform<MLImage>(transformer, _stories, "Picture")),
            ("generate", () => transformer.Generate(["a red square"])),
            ("save", () => _ml.Generation.Save(transformer, _stories.Schema, NewPath())),
            ("save as folder", () => _ml.Generation.SaveModelFolder(transformer, NewPath())),
        ], seed % 2 == 0 ? [transformer.Dispose] : [transformer.Network.Dispose], () => weights.TrueForAll(weight => weight.IsInvalid));
    }

    private DisposalSubject Network(int seed)
    {
        var transformer = (TorchModuleTransformer)Load("network.zip");
        var weights = transformer.Network.NewLayers.named_parameters().Select(pair => pair.parameter).ToList();
        return new DisposalSubject("network", [
            ("transform", () => Transform<float[]>(transformer, _vectors, "Out")),
            ("compute", () => transformer.Network.Compute(3, (_, values) => values.Fill(1))),
            ("save", () => _ml.Generation.Save(transformer, _vectors.Schema, NewPath())),
            ("save as folder", () => _ml.Generation.SaveModelFolder(transformer, NewPath())),
            ("export", () => _ml.Generation.ExportToOnnx(transformer, NewPath())),
        ], seed % 2 == 0 ? [transformer.Dispose] : [transformer.Network.Dispose], () => weights.TrueForAll(weight => weight.IsInvalid));
    }

    private DisposalSubject Music(int seed) => Audio("music", seed);

    private DisposalSubject Speech(int seed) => Audio("speech", seed);

    private DisposalSubject Audio(string kind, int seed)
    {
        var transformer = (AudioGeneratorTransformer)Load($"{kind}.zip");
        var weights = transformer.Model.Network.named_parameters().Select(pair => pair.parameter).ToList();
        return new DisposalSubject(kind, [
            ("transform", () => Transform<Waveform>(transformer, _stories, "Made")),
            ("generate", () => Generate(_ml.Generation.GetAudioGenerator(transformer))),
            ("save", () => _ml.Generation.Save(transformer, _stories.Schema, NewPath())),
            ("save as folder", () => _ml.Generation.SaveModelFolder(transformer, NewPath())),
        ], seed % 2 == 0 ? [transformer.Dispose] : [transformer.Model.Dispose], () => weights.TrueForAll(weight => weight.IsInvalid));
    }

    private DisposalSubject OnnxText(int seed)
    {
        var transformer = _ml.Generation.LoadOnnx(
            OnnxFolder, "Continuation", "Opening", new() { Generation = s_short, ThreadCount = 1 });
        var model = transformer.Model;
        return new DisposalSubject("ONNX text", [
            ("transform", () => Transform<string>(transformer, _stories, "Continuation")),
            ("stream", () => ReadAsync(_ml.Generation.StreamAsync(transformer, "the red")).GetAwaiter().GetResult()),
            ("leave a stream unread", () => BeginAsync(_ml.Generation.StreamAsync(transformer, "the red")).GetAwaiter().GetResult()),
            ("generate", () => model.Generate("the red", s_short)),
            ("save", () => _ml.Generation.Save(transformer, _stories.Schema, NewPath())),
        ], seed % 2 == 0 ? [transformer.Dispose] : [model.Dispose], () => true);
    }

    private DisposalSubject Engine(int seed)
    {
        var (network, tokenizer) = LoadEngine();
        var generator = new TextGenerator(network, tokenizer);
        var beams = s_short with { BeamCount = 2 };
        return new DisposalSubject("engine", [
            ("generate", () => generator.Generate(["the red", "and"], s_short)),
            ("search with beams", () => generator.Generate(["the red"], beams)),
            ("stream", () => ReadAsync(generator.StreamAsync("the red", s_short)).GetAwaiter().GetResult()),
            ("compute logits", () => Logits(network)),
            ("save", () => network.Save(Directory.CreateDirectory(NewPath()).FullName)),
            ("hash", () => network.ComputeFingerprint()),
        ], [network.Dispose], () => network.TokenEmbedding.IsInvalid);
    }

    private DisposalSubject TextTraining(int seed)
    {
        var (network, tokenizer) = LoadEngine();
        var rows = TrainingExamples.Blocks(tokenizer.Encode("the old man looked at the red planet, and the planet looked back"), 12);
        var options = new LanguageTrainingOptions
        {
            LearningRate = 1e-3, NumberOfEpochs = 3, OutputDirectory = NewPath(), CheckpointSteps = 2,
        };
        return new DisposalSubject("text training", [
            ("train", () => new LanguageModelTrainer(network, options, rows, rows).Train()),
        ], [network.Dispose], () => network.TokenEmbedding.IsInvalid) { IsForOneThread = true, LongestDelay = 150 };
    }

    private DisposalSubject ImageTraining(int seed)
    {
        var transformer = (ImageGeneratorTransformer)Load("image.zip");
        var weights = transformer.Model.named_parameters().Select(pair => pair.parameter).ToList();
        var options = new AdversarialTrainingOptions { TotalImages = 8, BatchSize = 4, OutputDirectory = NewPath(), CheckpointImages = 4 };
        return new DisposalSubject("image training", [
            ("train", () => new StyleGan2Trainer(transformer.Model, options, _images).Train()),
        ], [transformer.Dispose], () => weights.TrueForAll(weight => weight.IsInvalid)) { IsForOneThread = true, LongestDelay = 300 };
    }

    private DisposalSubject NetworkTraining(int seed)
    {
        var transformer = (TorchModuleTransformer)Load("network.zip");
        var weights = transformer.Network.NewLayers.named_parameters().Select(pair => pair.parameter).ToList();
        var options = new ModuleTrainingOptions { NumberOfEpochs = 3, BatchSize = 4, OutputDirectory = NewPath(), CheckpointSteps = 2 };
        return new DisposalSubject("network training", [
            ("train", () => new NetworkTrainer(transformer.Network, options).Train(new ConstantRows())),
        ], [transformer.Dispose], () => weights.TrueForAll(weight => weight.IsInvalid)) { IsForOneThread = true, LongestDelay = 60 };
    }

    private ITransformer Load(string zip) =>
        _ml.Model.Load(Path.Combine(_folder, zip), out _) is var model && model is IEnumerable<ITransformer> chain ? chain.Last() : model;

    private (CausalLanguageModel Network, TextTokenizer Tokenizer) LoadEngine() =>
        (CausalLanguageModel.Load(ModelFolder), TextTokenizer.Load(ModelFolder));

    private string NewPath() => Path.Combine(_folder, $"{Interlocked.Increment(ref _names)}");

    private void Predict(ITransformer transformer)
    {
        using var engine = _ml.Model.CreatePredictionEngine<StoryRow, ContinuedRow>(
            transformer, new PredictionEngineOptions { OwnsTransformer = false });
        engine.Predict(new StoryRow { Opening = "the red" });
    }

    private static void Transform<T>(ITransformer transformer, IDataView rows, string column)
    {
        foreach (var value in transformer.Transform(rows).GetColumn<T>(column))
            (value as IDisposable)?.Dispose();
    }

    private static async Task ReadAsync(IAsyncEnumerable<string> stream)
    {
        await foreach (var piece in stream)
            _ = piece;
    }

    private static async Task BeginAsync(IAsyncEnumerable<string> stream) => await stream.GetAsyncEnumerator().MoveNextAsync();

    private static void Generate(AudioGenerationModel model)
    {
        if (model is MusicGenerationModel music)
            music.Generate([new MusicPrompt { Text = "piano" }], new MusicGenerationOptions { MaximumFrames = 3 });
        else
            ((SpeechGenerationModel)model).Generate([new SpeechRequest("abc")]);
    }

    private static void Generate(StyleGan2Generator generator)
    {
        using var gradients = no_grad();
        using var scope = NewDisposeScope();
        generator.Generate(randn([2, generator.LatentWidth], ScalarType.Float32));
    }

    private static void Discriminate(StyleGan2Model model)
    {
        using var gradients = no_grad();
        using var scope = NewDisposeScope();
        model.Discriminator.Forward(zeros([2, 3, 16, 16], ScalarType.Float32));
    }

    private static void Logits(CausalLanguageModel network)
    {
        using var gradients = no_grad();
        using var scope = NewDisposeScope();
        network.Forward(new ModelInput(zeros([2, 8], ScalarType.Int64)));
    }

    private sealed class ConstantRows : ITrainingRows
    {
        public int Count => 16;

        public void ReadInput(int row, Span<float> values) => values.Fill(row);

        public void ReadTarget(int row, Span<float> values) => values.Fill(1);
    }

    private sealed class StoryRow
    {
        public string? Opening { get; set; }

        public string? Text { get; set; }
    }

    private sealed class ContinuedRow
    {
        public string? Continuation { get; set; }
    }

    private sealed class NumberRow
    {
        public float Number { get; set; }
    }

    private sealed class VectorRow
    {
        [VectorType(3)]
        public float[] Values { get; set; } = [];
    }
}
