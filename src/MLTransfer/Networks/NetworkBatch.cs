using MLTransfer.Columns;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLTransfer.Networks;

/// <summary>The inputs of some rows, for which the network is computed at once.</summary>
internal sealed class NetworkBatch(TorchModuleTransformer transformer, ColumnValues inputs) : MappedBatch
{
    private readonly int _width = (int)TensorColumn.ElementCount(transformer.Columns.OutputShape);
    private float[]? _outputs; // [rows, width]

    public override void Clear()
    {
        inputs.Clear();
        _outputs = null;
    }

    public override void Read(int slot)
    {
        if (slot < inputs.Count)
            Clear(); // a single row that follows its source
        inputs.Add();
    }

    public override Delegate CreateGetter(int column, Func<int> current)
    {
        var columns = transformer.Columns;
        return columns.OutputKind switch
        {
            NetworkOutputKind.Scalar => (ValueGetter<float>)((ref float value) => value = Row(current)[0]),
            NetworkOutputKind.Image => (ValueGetter<MLImage>)((ref MLImage value) => value = ImagePlanes.Create(
                Row(current), (int)columns.OutputShape[0], (int)columns.OutputShape[1], (int)columns.OutputShape[2],
                columns.OutputScaling)),
            _ => (ValueGetter<VBuffer<float>>)((ref VBuffer<float> value) =>
            {
                var editor = VBufferEditor.Create(ref value, _width);
                Row(current).CopyTo(editor.Values);
                value = editor.Commit();
            }),
        };
    }

    private ReadOnlySpan<float> Row(Func<int> current)
    {
        var slot = current();
        _outputs ??= transformer.Compute(inputs);
        return _outputs.AsSpan(slot * _width, _width);
    }
}
