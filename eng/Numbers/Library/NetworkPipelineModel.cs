using Microsoft.ML;
using MLTransfer;
using MLTransfer.Torch.Training.Described;
using MLTransfer.Torch.Training.Optimizers;
using Numbers.Reports;
using Numbers.Settings;
using static TorchSharp.torch;

namespace Numbers.Library;

/// <summary>A fitted network of an ML.NET pipeline.</summary>
internal sealed class NetworkPipelineModel(TorchModuleTransformer transformer) : IDisposable
{
    /// <typeparam name="TModule">The class of the user's own that <see cref="NetworkPipeline.Base"/> "module" means.</typeparam>
    public static NetworkPipelineModel FineTune<TModule>(
        MLContext ml, IDataView data, string output, string input, string label, NetworkPipeline settings)
        where TModule : nn.Module<Tensor, Tensor>, new() => new(
        ml.Transforms.FineTuneTorchModule(output, input, label, new TorchModuleOptions
        {
            Pretrained = settings.Base switch
            {
                null => null,
                "features" => PretrainedNetwork.OnnxFeatures(settings.BaseFile!, BaseOutput(settings)),
                "layers" => PretrainedNetwork.OnnxLayers(settings.BaseFile!, BaseOutput(settings)),
                _ => PretrainedNetwork.Module<TModule>(settings.BaseFile),
            },
            NewLayers = Network.Layers(settings.Layers),
            Freezing = Network.Freezing(settings.Freezing),
            InputShape = settings.InputShape,
            InputScaling = Scaling(settings.InputScaling),
            ValidationFraction = settings.ValidationFraction,
            Training = new ModuleTrainingOptions
            {
                Loss = Enum.Parse<TrainingLoss>(settings.Training.Loss),
                Optimizer = Enum.Parse<OptimizerAlgorithm>(settings.Training.Optimizer),
                LearningRate = settings.Training.LearningRate,
                Momentum = settings.Training.Momentum,
                WeightDecay = settings.Training.WeightDecay,
                NumberOfEpochs = settings.Training.Epochs,
                BatchSize = settings.Training.BatchSize,
                Shuffle = settings.Training.Shuffle,
                EarlyStoppingPatience = settings.Training.EarlyStoppingPatience,
            },
            TransformBatchSize = 7,
            Seed = settings.Seed,
        }).Fit(data));

    public static NetworkPipelineModel Load(MLContext ml, string path) => new((TorchModuleTransformer)ml.Model.Load(path, out _));

    public ITransformer Transformer => transformer;

    public IEnumerable<(string Name, Tensor Tensor)> State => Network.StateOf(transformer.Network);

    public IReadOnlyList<double[]> Log => Network.LogOf(transformer.History);

    public void Save(MLContext ml, DataViewSchema schema, string path) => ml.Model.Save(transformer, schema, path);

    public void ExportToOnnx(MLContext ml, string path) => ml.Generation.ExportToOnnx(transformer, path);

    public void Dispose() => transformer.Dispose();

    private static string? BaseOutput(NetworkPipeline settings) =>
        settings.BaseOutputOf is null ? null : OnnxFile.Read(settings.BaseFile!).OutputOf(settings.BaseOutputOf);

    private static ImageScaling Scaling(string name) => name switch
    {
        "Pixels" => ImageScaling.Pixels,
        "MinusOneToOne" => ImageScaling.MinusOneToOne,
        "ImageNet" => ImageScaling.ImageNet,
        _ => ImageScaling.ZeroToOne,
    };
}
