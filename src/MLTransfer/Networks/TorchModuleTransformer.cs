using MLTransfer.Columns;
using MLTransfer.Networks;
using MLTransfer.Onnx.Graphs;
using MLTransfer.Onnx.Writing;
using MLTransfer.Persistence;
using MLTransfer.Torch.Checkpoints;
using MLTransfer.Torch.Networks.Described;
using MLTransfer.Torch.Training.Described;
using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;
using Microsoft.ML.Transforms.Image;

[assembly: LoadableClass("Computes a network of pretrained and new layers", typeof(TorchModuleTransformer), typeof(TorchModuleTransformer), null,
    typeof(SignatureLoadModel), "TorchSharp module", TorchModuleTransformer.LoaderSignature)]

namespace MLTransfer.Networks;

/// <summary>Computes a network for the rows of a column. Made by <see cref="TorchModuleEstimator"/>.</summary>
/// <remarks>
/// Rows are read and computed while the result is enumerated, in batches of <see cref="TransformBatchSize"/>, and only where the output column is asked for.
/// Rows stay in order. Several threads may enumerate results at once.
/// </remarks>
public sealed class TorchModuleTransformer : ITransformer, IColumnMapping, IDisposable
{
    internal const string LoaderSignature = "TorchModule";

    private volatile bool _disposed;

    internal TorchModuleTransformer(TransferNetwork network, TorchModuleColumns columns, int transformBatchSize, TrainingHistory history) =>
        (Network, Columns, TransformBatchSize, History) = (network, columns, transformBatchSize, history);

    /// <summary>The network: pretrained and new layers.</summary>
    public TransferNetwork Network { get; }

    /// <summary>How training went.</summary>
    public TrainingHistory History { get; }

    /// <summary>Rows that are computed together.</summary>
    public int TransformBatchSize { get; }

    internal TorchModuleColumns Columns { get; }

    /// <inheritdoc/>
    bool ITransformer.IsRowToRowMapper => true;

    /// <inheritdoc/>
    int IColumnMapping.BatchSize => TransformBatchSize;

    /// <inheritdoc/>
    IReadOnlyList<(string Name, DataViewType Type)> IColumnMapping.NewColumns => [(Columns.Output, Columns.OutputType)];

    /// <summary>The schema after this transformer.</summary>
    /// <exception cref="ArgumentException">The input column is missing, or has another type or size.</exception>
    public DataViewSchema GetOutputSchema(DataViewSchema inputSchema)
    {
        ArgumentNullException.ThrowIfNull(inputSchema);
        return new MappedSchema(inputSchema, this).Output;
    }

    /// <inheritdoc/>
    IRowToRowMapper ITransformer.GetRowToRowMapper(DataViewSchema inputSchema)
    {
        ArgumentNullException.ThrowIfNull(inputSchema);
        return new MappedRowMapper(inputSchema, this);
    }

    /// <summary>Adds the output column. Nothing is read or computed before the result is enumerated.</summary>
    /// <exception cref="ArgumentException">The input column is missing, or has another type or size.</exception>
    public IDataView Transform(IDataView input)
    {
        ArgumentNullException.ThrowIfNull(input);
        return new MappedDataView(input, this);
    }

    /// <summary>Writes the network as one ONNX file, which ONNX Runtime and <c>ApplyOnnxModel</c> run.</summary>
    /// <remarks>
    /// The graph's input and output are called as the columns are. For an image column the input is [batch, channels, height, width] of pixels from 0 to
    /// 255, red, green, blue, as <c>ExtractPixels</c> gives them: the scaling is part of the graph. The output is what the network gives, unscaled.
    /// </remarks>
    /// <param name="path">The file.</param>
    /// <exception cref="NotSupportedException">The pretrained network is TorchScript or a class of the user's: it has no graph to write.</exception>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public void ExportToOnnx(string path)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(path);
        ObjectDisposedException.ThrowIf(_disposed, this);
        var scalings = Columns.InputIsImage
            ? Enumerable.Range(0, (int)Columns.InputShape[0]).Select(Columns.InputScaling.Channel).ToList()
            : null;
        var graph = NetworkToOnnx.Create(
            Network, Columns.Input, Columns.Output, scalings?.Select(s => s.Factor).ToArray(), scalings?.Select(s => s.Offset).ToArray());
        AtomicFile.Write(path, stream => ModelFileWriter.Write(stream, graph));
    }

    /// <inheritdoc/>
    void ICanSaveModel.Save(ModelSaveContext ctx)
    {
        ArgumentNullException.ThrowIfNull(ctx);
        ObjectDisposedException.ThrowIf(_disposed, this);
        TorchModuleFile.Save(ctx, this);
    }

    /// <inheritdoc/>
    IReadOnlyList<DataViewSchema.Column> IColumnMapping.FindInputs(DataViewSchema schema)
    {
        var column = TensorColumn.Find(schema, "input", Columns.Input, isLabel: false);
        if (column.Type is ImageDataViewType != Columns.InputIsImage)
        {
            throw new ArgumentException(
                $"Schema mismatch for input column '{Columns.Input}': expected {(Columns.InputIsImage ? "an image" : "numbers")}, got {column.Type}.");
        }

        TensorColumn.CheckShape(column, "input", Columns.InputShape, "the network takes");
        return [column];
    }

    /// <inheritdoc/>
    MappedBatch IColumnMapping.CreateBatch(DataViewRow source, IReadOnlyList<DataViewSchema.Column> inputs, int slots) =>
        new NetworkBatch(this, ColumnValues.Create(source, inputs[0], Columns.InputShape, Columns.InputScaling));

    /// <summary>Frees the network.</summary>
    public void Dispose()
    {
        _disposed = true;
        Network.Dispose();
    }

    /// <summary>[rows, output shape] of the rows' inputs.</summary>
    internal float[] Compute(ColumnValues inputs)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        return Network.Compute(inputs.Count, inputs.CopyTo);
    }

    // Called by ML.NET when it loads a model file.
    internal static TorchModuleTransformer Create(IHostEnvironment env, ModelLoadContext ctx) => TorchModuleFile.Load(ctx);
}
