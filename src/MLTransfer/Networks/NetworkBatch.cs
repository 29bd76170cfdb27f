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
        var name = columns.Outputs[column].Name;
        if (name == columns.PredictedLabel)
        {
            return columns.OutputKind == NetworkOutputKind.Scalar
                ? (ValueGetter<bool>)((ref bool value) => value = Row(current)[0] > 0.5f)
                : (ValueGetter<uint>)((ref uint value) => value = Largest(Row(current)));
        }

        if (name == columns.Score)
            return (ValueGetter<float>)((ref float value) => value = LogOdds(Row(current)[0]));
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

    /// <summary>The key, from 1, of the first of the largest values; 0, a missing value, where one is not a number.</summary>
    private static uint Largest(ReadOnlySpan<float> values)
    {
        var largest = 0;
        for (var i = 0; i < values.Length; i++)
        {
            if (float.IsNaN(values[i]))
                return 0;
            if (values[i] > values[largest])
                largest = i;
        }

        return (uint)largest + 1;
    }

    /// <summary>log(p / (1 - p)), finite also where a probability is rounded to 0 or 1.</summary>
    private static float LogOdds(float probability)
    {
        const double margin = 1e-8;
        var inside = Math.Clamp((double)probability, margin, 1 - margin);
        return (float)Math.Log(inside / (1 - inside));
    }

    private ReadOnlySpan<float> Row(Func<int> current)
    {
        var slot = current();
        _outputs ??= transformer.Compute(inputs);
        return _outputs.AsSpan(slot * _width, _width);
    }
}
