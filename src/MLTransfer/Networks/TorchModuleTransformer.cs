using MLTransfer.Cards;
using MLTransfer;
using MLTransfer.Columns;
using MLTransfer.Networks;
using MLTransfer.Onnx;
using MLTransfer.Onnx.Writing;
using MLTransfer.Persistence;
using MLTransfer.Torch.Networks.Described;
using MLTransfer.Torch.Training.Described;
using Microsoft.ML;
using Microsoft.ML.Runtime;

[assembly: LoadableClass("Computes a network of pretrained and new layers", typeof(TorchModuleTransformer), typeof(TorchModuleTransformer),
    null, typeof(SignatureLoadModel), "TorchSharp module", TorchModuleTransformer.LoaderSignature)]

namespace MLTransfer;

/// <summary>
/// Computes a network for the rows of a column. Made by <see cref="TorchModuleEstimator"/> and
/// <see cref="PretrainedTorchModuleEstimator"/>.
/// </summary>
/// <remarks>
/// The network is computed in batches of <see cref="TransformBatchSize"/> rows, and only where the output column is asked for. As an ONNX
/// file the graph's input and output are called as the columns are. For an image column the input is [batch, channels, height, width] of
/// pixels from 0 to 255, red, green, blue, as <c>ExtractPixels</c> gives them: the scaling is part of the graph. The output is what the
/// network gives, unscaled.
/// </remarks>
public sealed class TorchModuleTransformer : ColumnMappingTransformer, IOnnxExport, IModelFolder
{
    internal const string LoaderSignature = "TorchModule";

    internal TorchModuleTransformer(TransferNetwork network, TorchModuleColumns columns, int transformBatchSize, TrainingHistory history)
        : base(transformBatchSize)
    {
        (Network, Columns, TransformBatchSize, History) = (network, columns, transformBatchSize, history);
    }

    /// <summary>The network: pretrained and new layers.</summary>
    public TransferNetwork Network { get; }

    /// <summary>How training went; no epochs where there was none.</summary>
    public TrainingHistory History { get; }

    /// <summary>Rows that are computed together.</summary>
    public int TransformBatchSize { get; }

    /// <summary>What a model card tells; null where nothing is known of the network.</summary>
    internal ModelCard? Card { get; init; }

    internal TorchModuleColumns Columns { get; }

    private protected override IReadOnlyList<OutputColumn> Outputs => Columns.Outputs;

    /// <summary>The network in memory of its own.</summary>
    internal TransferNetwork CopyNetwork()
    {
        using var hold = Hold();
        return BaseNetworks.Copy(Network);
    }

    /// <inheritdoc/>
    IReadOnlyList<OnnxExportedFile> IOnnxExport.ExportToOnnx(
        string path, OnnxExportOptions? options, IChannel channel, CancellationToken cancellationToken)
    {
        using var hold = Hold();
        using var network = Network.Hold();
        return OnnxFileExport.Write(path, options, "outputs", channel, WriteGraph, cancellationToken);

        double WriteGraph()
        {
            var scalings = Columns.InputIsImage
                ? Enumerable.Range(0, (int)Columns.InputShape[0]).Select(Columns.InputScaling.Channel).ToList()
                : null;
            return NetworkExporter.Export(
                Network, path, Columns.Input, Columns.Output, scalings?.Select(s => s.Factor).ToArray(),
                scalings?.Select(s => s.Offset).ToArray());
        }
    }

    /// <inheritdoc/>
    void IModelFolder.SaveModelFolder(string folder, WeightType weightType)
    {
        using var hold = Hold();
        using var network = Network.Hold();
        ModelFolder.Write(folder, LayerFolder.LayersFile, inside =>
        {
            LayerFolder.Write(inside, Network, weightType);
            var pipeline = Columns is { InputIsImage: true, OutputKind: NetworkOutputKind.Image } ? "image-to-image" : null;
            ModelCardFile.Write(inside, folder, new CardKind("network of layers", "mltransfer", pipeline, Architecture: null), Card);
        });
    }

    /// <summary>[rows, output shape] of the rows' inputs.</summary>
    internal float[] Compute(ColumnValues inputs)
    {
        using var hold = Hold();
        return Network.Compute(inputs.Count, inputs.CopyTo);
    }

    // Called by ML.NET when it loads a model file.
    internal static TorchModuleTransformer Create(IHostEnvironment env, ModelLoadContext ctx) => TorchModuleFile.Load(ctx);

    private protected override IReadOnlyList<DataViewSchema.Column> FindInputs(DataViewSchema schema) =>
        [TensorColumn.Find(TensorColumn.Input(Columns.Input, Columns.InputIsImage), schema, Columns.InputShape, "the network takes")];

    private protected override MappedBatch CreateBatch(DataViewRow source, IReadOnlyList<DataViewSchema.Column> inputs, int slots) =>
        new NetworkBatch(this, ColumnValues.Create(source, inputs[0], Columns.InputShape, Columns.InputScaling));

    private protected override void Save(ModelSaveContext context) => TorchModuleFile.Save(context, this);

    private protected override void Free() => Network.Dispose();
}
