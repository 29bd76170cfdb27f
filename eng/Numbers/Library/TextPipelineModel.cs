using Microsoft.ML;
using MLTransfer;
using MLTransfer.Onnx;
using MLTransfer.Torch.Training;
using MLTransfer.Torch.Training.Language;
using Numbers.Settings;
using static TorchSharp.torch;

namespace Numbers.Library;

/// <summary>A fitted text generator of an ML.NET pipeline.</summary>
internal sealed class TextPipelineModel(TextGeneratorTransformer transformer) : IDisposable
{
    public static TextPipelineModel FineTune(MLContext ml, IDataView data, string output, string input, string? training,
        TextPipeline settings) => new(
        ml.Transforms.Text.FineTuneTextGenerator(output, input, training, new TextGeneratorOptions
        {
            PretrainedModel = settings.Model ?? PretrainedModels.Tales,
            CompletionColumnName = settings.CompletionColumn,
            Training = new LanguageTrainingOptions
            {
                MaximumSteps = settings.Steps,
                BatchSize = settings.BatchSize,
                LearningRate = settings.LearningRate,
                GroupByLength = settings.GroupByLength,
                KeepBestModel = settings.KeepBestModel,
                Precision = Enum.Parse<Precision>(settings.Precision),
            },
            Lora = settings.Adapters is null ? null : Conversions.ToOptions(settings.Adapters),
            Dropout = settings.Dropout,
            TrainableBlocks = settings.TrainableBlocks,
            FrozenParameters = settings.FrozenParameters,
            RowPacking = Enum.Parse<RowPacking>(settings.Packing),
            MaximumLength = settings.MaximumLength,
            DecodingPrecision = Enum.Parse<DecodingPrecision>(settings.DecodingPrecision),
            Generation = Conversions.ToOptions(settings.Decoding),
            TokenIdsColumnName = settings.IdsColumn,
            LogProbabilitiesColumnName = settings.LogProbabilitiesColumn,
            Seed = settings.Seed,
        }).Fit(data));

    /// <summary>A pretrained model as it is.</summary>
    public static TextPipelineModel Pretrained(MLContext ml, IDataView data, string output, string input, TextPipeline settings) => new(
        ml.Transforms.Text.GenerateText(output, input, settings.Model ?? PretrainedModels.Tales, new GenerateTextOptions
        {
            DecodingPrecision = Enum.Parse<DecodingPrecision>(settings.DecodingPrecision),
            Generation = Conversions.ToOptions(settings.Decoding),
            TokenIdsColumnName = settings.IdsColumn,
            LogProbabilitiesColumnName = settings.LogProbabilitiesColumn,
        }).Fit(data));

    /// <summary>From a file that <see cref="Save"/> wrote.</summary>
    public static TextPipelineModel Load(MLContext ml, string path) => new((TextGeneratorTransformer)ml.Model.Load(path, out _));

    public ITransformer Transformer => transformer;

    public IEnumerable<(string Name, Tensor Tensor)> Weights => transformer.Model.Network.CheckpointTensors().Select(t => (t.Key, t.Value));

    /// <summary>Losses and gradient norms of the steps.</summary>
    public double[] Log =>
        [.. transformer.TrainingResult!.History.SelectMany(
            step => (double[])[step.Loss ?? double.NaN, step.GradientNorm ?? double.NaN, step.ValidationLoss ?? double.NaN])];

    /// <summary>Loss, tokens and bytes.</summary>
    public double[] Evaluate(MLContext ml, IDataView data, string? column = null)
    {
        var metrics = ml.Generation.Evaluate(transformer, data, column);
        return [metrics.Loss, metrics.TokenCount, metrics.ByteCount, metrics.Perplexity, metrics.BitsPerByte];
    }

    public void Save(MLContext ml, DataViewSchema schema, string path) => ml.Model.Save(transformer, schema, path);

    public void SaveFolder(MLContext ml, string folder, string type) =>
        ml.Generation.SaveModelFolder(transformer, folder, Enum.Parse<WeightType>(type));

    public void ExportToOnnx(MLContext ml, string folder, OnnxSettings settings) =>
        ml.Generation.ExportToOnnx(transformer, folder, new OnnxExportOptions
    {
        Precision = Enum.Parse<OnnxPrecision>(settings.Precision), FusedOperators = settings.Fused, FileWithoutPast = settings.WithoutPast,
        Check = settings.Check,
    });

    public void Dispose() => transformer.Dispose();
}
