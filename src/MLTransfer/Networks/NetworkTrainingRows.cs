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
        return (
            new(inputs, labels, first, count - taken) { Report = Report },
            new(inputs, labels, first + count - taken, taken) { Report = Report });
    }

    /// <summary>What is in the data that the rows were read from.</summary>
    public required NetworkDataReport Report { get; init; }

    /// <summary>Reads all rows.</summary>
    /// <exception cref="InvalidOperationException">
    /// A value is missing, not finite, of another size, or outside of what the loss takes.
    /// </exception>
    public static NetworkTrainingRows Read(
        IDataView data, TorchModuleColumns columns, string labelColumn, TrainingLoss loss, CancellationToken cancellationToken)
    {
        var (rows, fault) = ReadAll(data, columns, labelColumn, loss, cancellationToken);
        return fault is null ? rows : throw new InvalidOperationException(fault);
    }

    /// <summary>Counts what is in the data, values included that training refuses.</summary>
    /// <exception cref="InvalidOperationException">A value is missing or of another size.</exception>
    public static NetworkDataReport Describe(
        IDataView data, TorchModuleColumns columns, string labelColumn, TrainingLoss loss, CancellationToken cancellationToken) =>
        ReadAll(data, columns, labelColumn, loss, cancellationToken).Rows.Report;

    /// <returns>The rows, and what is wrong with the first value that cannot be used; null where all can.</returns>
    private static (NetworkTrainingRows Rows, string? Fault) ReadAll(
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
        var (minimum, maximum, expected) = loss switch
        {
            TrainingLoss.BinaryCrossEntropy => (0f, 1f, "a probability from 0 to 1"),
            TrainingLoss.CategoricalCrossEntropy => (0f, float.MaxValue, "a share of 0 or more"),
            _ => (float.MinValue, float.MaxValue, "a finite number"),
        };
        var (nonFinite, nonFiniteRows, fault) = (0L, 0, (string?)null);
        while (cursor.MoveNext())
        {
            cancellationToken.ThrowIfCancellationRequested();
            inputs.Add();
            labels.Add();
            inputs.CopyTo(inputs.Count - 1, inputValues);
            labels.CopyTo(labels.Count - 1, labelValues);
            var before = nonFinite;
            Look(columns.Input, inputValues, float.MinValue, float.MaxValue, "a finite number");
            Look(labelColumn, labelValues, minimum, maximum, expected);
            if (nonFinite > before)
                nonFiniteRows++;
        }

        var report = new NetworkDataReport(inputs.Count, inputValues.Length, labelValues.Length, nonFinite, nonFiniteRows);
        return (new NetworkTrainingRows(inputs, labels, 0, inputs.Count) { Report = report }, fault);

        void Look(string column, float[] values, float least, float most, string wanted)
        {
            foreach (var value in values)
            {
                if (value >= least && value <= most)
                    continue;
                fault ??= $"Row {cursor.Position} (from 0), column '{column}' has the value {value}; expected {wanted}. "
                    + "Filter such rows out.";
                if (!float.IsFinite(value))
                    nonFinite++;
            }
        }
    }
}
