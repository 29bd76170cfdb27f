using System.Text.Json.Nodes;
using MLTransfer.Onnx;
using MLTransfer.Onnx.Writing;
using MLTransfer.Torch.Adaptation;
using MLTransfer.Torch.Generation;
using MLTransfer.Torch.Networks.Transformers;
using MLTransfer.Torch.Tokenization;
using MLTransfer.Torch.Training;
using MLTransfer.Torch.Training.Language;
using Numbers.Settings;
using static TorchSharp.torch;

namespace Numbers.Library;

/// <summary>A causal language model, with the tokenizer of its folder.</summary>
internal sealed class LanguageModel : IDisposable
{
    private readonly CausalLanguageModel _model;
    private readonly string? _folder;

    private LanguageModel(CausalLanguageModel model, string? folder)
    {
        (_model, _folder) = (model, folder);
        _model.eval();
    }

    public static LanguageModel Load(string folder, ScalarType type = ScalarType.Float32) =>
        new(CausalLanguageModel.Load(folder, type), folder);

    /// <summary>Random weights.</summary>
    public static LanguageModel Create(JsonObject configuration, ScalarType type = ScalarType.Float32)
    {
        manual_seed(7);
        return new(CausalLanguageModel.Create(configuration.DeepClone().AsObject(), type), null);
    }

    public int VocabularySize => _model.VocabularySize;

    public int ContextLength => _model.ContextLength;

    public void SetTraining(bool training) => _model.train(training);

    /// <summary>The model's own weights.</summary>
    public IEnumerable<(string Name, Tensor Tensor)> Weights => _model.CheckpointTensors().Select(t => (t.Key, t.Value));

    /// <summary>What training changes.</summary>
    public IEnumerable<(string Name, Tensor Tensor)> TrainableWeights =>
        _model.TrainableParameters().Select(p => (p.Name, (Tensor)p.Parameter));

    public Tensor Forward(
        Tensor ids, Tensor? mask = null, Tensor? positions = null, Tensor? sequences = null, Tensor? embeddings = null,
        Cache? cache = null) =>
        _model.Forward(new ModelInput(ids)
        {
            AttentionMask = mask, PositionIds = positions, SequenceIds = sequences, InputEmbeddings = embeddings,
            PastKeyValues = cache?.Inner,
        });

    public Cache CreateCache(int rows, int capacity) => new(_model.CreateCache(rows, capacity));

    public void Quantize() => WeightQuantization.Quantize(_model);

    public void SetDropout(double embedding, double attention, double residual) =>
        _model.Dropout = new DropoutProbabilities(embedding, attention, residual);

    public void Attach(Adapters adapters) => LowRankAdaptation.Attach(_model, Conversions.ToOptions(adapters));

    public void LoadAdapters(string folder) => PeftAdapterFolder.Load(_model, folder);

    public void SaveAdapters(string folder) => PeftAdapterFolder.Save(_model, folder, "base");

    public void MergeAdapters() => LowRankAdaptation.Merge(_model);

    public void TrainLastBlocks(int blocks) => ParameterFreezing.FreezeAllButLastBlocks(_model, blocks);

    public void Freeze(params string[] patterns) => ParameterFreezing.FreezeByName(_model, patterns);

    public void Save(string folder, ScalarType? type = null) => _model.Save(folder, type);

    /// <summary>
    /// Trains; where <paramref name="cancelAt"/> is given, the report of that step cancels the run, and the result is null.
    /// </summary>
    public TextTrainingRun? Train(TextTraining settings, TextRow[] rows, TextRow[]? validation = null, int? cancelAt = null)
    {
        var options = new LanguageTrainingOptions
        {
            NumberOfEpochs = settings.Epochs,
            MaximumSteps = settings.MaximumSteps,
            BatchSize = settings.BatchSize,
            GradientAccumulationSteps = settings.Accumulation,
            LearningRate = settings.LearningRate,
            LearningRateSchedule = Enum.Parse<LearningRateSchedule>(settings.Schedule, ignoreCase: true),
            WarmupSteps = settings.WarmupSteps,
            WeightDecay = settings.WeightDecay,
            MaximumGradientNorm = settings.MaximumGradientNorm,
            Precision = Enum.Parse<Precision>(settings.Precision),
            GradientCheckpointing = settings.GradientCheckpointing,
            Shuffle = settings.Shuffle,
            GroupByLength = settings.GroupByLength,
            Seed = settings.Seed,
            EvaluationSteps = settings.EvaluationSteps,
            EarlyStoppingPatience = settings.EarlyStoppingPatience,
            KeepBestModel = settings.KeepBestModel,
            OutputDirectory = settings.Folder,
            CheckpointSteps = settings.CheckpointSteps,
            Resume = settings.Resume,
        };
        using var cancellation = new CancellationTokenSource();
        var progress = new Told<TrainingProgress>(report =>
        {
            if (report.Step == cancelAt)
                cancellation.Cancel();
        });
        try
        {
            var result = new LanguageModelTrainer(
                _model, options, [.. rows.Select(RowMaker.ToExample)], validation?.Select(RowMaker.ToExample).ToList())
                .Train(progress, cancellation.Token);
            return new TextTrainingRun(
                [.. result.History.Select(step => (double[])[
                    step.Loss ?? double.NaN, step.GradientNorm ?? double.NaN, step.LearningRate ?? double.NaN,
                    step.ValidationLoss ?? double.NaN])],
                [result.Steps, result.ModelStep, result.InitialValidationLoss ?? double.NaN, result.ValidationLoss ?? double.NaN]);
        }
        catch (OperationCanceledException) when (cancelAt is not null)
        {
            return null;
        }
    }

    public Continuation[] Generate(string[] prompts, Decoding decoding) => Conversions.FromTexts(
        new TextGenerator(_model, TextTokenizer.Load(_folder!)).Generate(prompts, Conversions.ToOptions(decoding)));

    /// <summary>The pieces of a streamed text.</summary>
    public string[] Stream(string prompt, Decoding decoding) =>
        [.. new TextGenerator(_model, TextTokenizer.Load(_folder!)).StreamAsync(prompt, Conversions.ToOptions(decoding))
            .ToBlockingEnumerable()];

    public void ExportToOnnx(string folder, OnnxSettings settings) => OnnxExporter.Export(
        _model, _folder is null ? null : TextTokenizer.Load(_folder), folder, new OnnxExportOptions
        {
            Precision = Enum.Parse<OnnxPrecision>(settings.Precision),
            FusedOperators = settings.Fused,
            SeparateAdapter = settings.SeparateAdapter,
            TransformersJsFiles = settings.TransformersJs,
            FileWithoutPast = settings.WithoutPast,
            Check = settings.Check,
        });

    public void ReplaceAdapterOfOnnx(string folder) => OnnxExporter.ReplaceAdapter(_model, folder);

    public void Dispose() => _model.Dispose();
}
