using Microsoft.ML;
using MLTransfer;
using MLTransfer.Torch.Networks.StyleGan2;
using MLTransfer.Torch.Training;
using MLTransfer.Torch.Training.Adversarial;
using Numbers.Settings;
using static TorchSharp.torch;

namespace Numbers.Library;

/// <summary>A fitted image generator of an ML.NET pipeline.</summary>
internal sealed class ImagePipelineModel(ImageGeneratorTransformer transformer) : IDisposable
{
    public static ImagePipelineModel FineTune(MLContext ml, IDataView data, string output, string? input, string training,
        ImagePipeline settings) => new(
        ml.Transforms.FineTuneImageGenerator(output, input, training, new ImageGeneratorOptions
        {
            PretrainedModel = settings.Model ?? PretrainedModels.Shapes,
            Training = new AdversarialTrainingOptions
            {
                TotalImages = settings.TotalImages,
                BatchSize = settings.BatchSize,
                LearningRate = settings.LearningRate,
                AverageHalfLife = settings.AverageHalfLife,
                Precision = Enum.Parse<Precision>(settings.Precision),
            },
            LabelColumnName = settings.LabelColumn,
            Truncation = settings.Truncation,
            Noise = Enum.Parse<NoiseMode>(settings.Noise),
            GenerationBatchSize = settings.GenerationBatchSize,
            Seed = settings.Seed,
        }).Fit(data));

    /// <summary>A pretrained model as it is.</summary>
    public static ImagePipelineModel Pretrained(MLContext ml, IDataView data, string output, string? input, ImagePipeline settings) => new(
        ml.Transforms.GenerateImages(output, input, settings.Model ?? PretrainedModels.Shapes, new GenerateImagesOptions
        {
            LabelColumnName = settings.LabelColumn,
            Truncation = settings.Truncation,
            Noise = Enum.Parse<NoiseMode>(settings.Noise),
            GenerationBatchSize = settings.GenerationBatchSize,
            Seed = settings.Seed,
        }).Fit(data));

    public static ImagePipelineModel Load(MLContext ml, string path) => new((ImageGeneratorTransformer)ml.Model.Load(path, out _));

    public ITransformer Transformer => transformer;

    public IEnumerable<(string Name, Tensor Tensor)> Weights =>
    [
        .. StyleGan2Model.CheckpointTensors(transformer.Model.Generator).Select(t => ("generator." + t.Key, t.Value)),
        .. StyleGan2Model.CheckpointTensors(transformer.Model.Discriminator).Select(t => ("discriminator." + t.Key, t.Value)),
    ];

    public double[] Log =>
        [.. transformer.TrainingResult!.History.SelectMany(
            step => (double[])[step.GeneratorLoss ?? double.NaN, step.DiscriminatorLoss ?? double.NaN])];

    public void Save(MLContext ml, DataViewSchema schema, string path) => ml.Model.Save(transformer, schema, path);

    public void ExportToOnnx(MLContext ml, string path) => ml.Generation.ExportToOnnx(transformer, path);

    public void Dispose() => transformer.Dispose();
}
