using MLTransfer.Columns;
using MLTransfer.Torch.Training.Described;
using Microsoft.ML;

namespace MLTransfer.Networks;

/// <summary>The rows that a network is trained on, kept in memory: pixels as bytes, other values as float32.</summary>
internal sealed class NetworkTrainingRows(ColumnValues inputs, ColumnValues labels, int first, int count) : ITrainingRows
{
    public int Count => count;

    public void ReadInput(int row, Span<float> values) => inputs.CopyTo(first + row, values);

    public void ReadTarget(int row, Span<float> values) => labels.CopyTo(first + row, values);

    /// <summary>Takes the last rows away: a share of them, but at least one, and never all.</summary>
    public (NetworkTrainingRows Training, NetworkTrainingRows Validation) Split(double fraction)
    {
        var taken = fraction > 0 ? Math.Min(count - 1, Math.Max(1, (int)(count * fraction))) : 0;
        return (new(inputs, labels, first, count - taken), new(inputs, labels, first + count - taken, taken));
    }

    /// <summary>Reads all rows.</summary>
    /// <exception cref="InvalidOperationException">
    /// A value is missing, not finite, of another size, or outside of what the loss takes.
    /// </exception>
    public static NetworkTrainingRows Read(
        IDataView data, TorchModuleColumns columns, string labelColumn, TrainingLoss loss, CancellationToken cancellationToken)
    {
        var input = TensorColumn.Find(
            TensorColumn.Input(columns.Input, columns.InputIsImage), data.Schema, columns.InputShape, "the network takes");
        var label = TensorColumn.Find(TensorColumn.Label(labelColumn), data.Schema, columns.OutputShape, "the network gives");
        using var cursor = data.GetRowCursor([input, label]);
        var inputs = ColumnValues.Create(cursor, input, columns.InputShape, columns.InputScaling);
        var labels = ColumnValues.Create(cursor, label, columns.OutputShape, columns.OutputScaling);
        var inputValues = new float[TensorColumn.ElementCount(columns.InputShape)];
        var labelValues = new float[TensorColumn.ElementCount(columns.OutputShape)];
        while (cursor.MoveNext())
        {
            cancellationToken.ThrowIfCancellationRequested();
            inputs.Add();
            labels.Add();
            inputs.CopyTo(inputs.Count - 1, inputValues);
            labels.CopyTo(labels.Count - 1, labelValues);
            foreach (var value in inputValues)
            {
                if (!float.IsFinite(value))
                    throw Unusable(columns.Input, value, "a finite number");
            }

            var (minimum, maximum, expected) = loss switch
            {
                TrainingLoss.BinaryCrossEntropy => (0f, 1f, "a probability from 0 to 1"),
                TrainingLoss.CategoricalCrossEntropy => (0f, float.MaxValue, "a share of 0 or more"),
                _ => (float.MinValue, float.MaxValue, "a finite number"),
            };
            foreach (var value in labelValues)
            {
                if (!(value >= minimum && value <= maximum))
                    throw Unusable(labelColumn, value, expected);
            }
        }

        return new NetworkTrainingRows(inputs, labels, 0, inputs.Count);

        InvalidOperationException Unusable(string column, float value, string expected) =>
            new($"Row {cursor.Position} (from 0), column '{column}' has the value {value}; expected {expected}. Filter such rows out.");
    }
}
