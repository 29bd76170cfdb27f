using Microsoft.ML;

namespace MLTransfer.Columns;

/// <summary>Makes new columns from input columns, many rows at a time.</summary>
internal interface IColumnMapping
{
    /// <summary>Rows that are computed together.</summary>
    int BatchSize { get; }

    /// <summary>The new columns in the order of the output schema.</summary>
    IReadOnlyList<OutputColumn> Outputs { get; }

    /// <summary>Finds the input columns.</summary>
    /// <exception cref="ArgumentException">One is missing, or has another type.</exception>
    IReadOnlyList<DataViewSchema.Column> FindInputs(DataViewSchema schema);

    /// <summary>Makes room for the rows of a batch.</summary>
    /// <param name="source">Where the input columns' values come from.</param>
    /// <param name="inputs">The input columns, in the order of <see cref="FindInputs"/>.</param>
    /// <param name="slots">The most rows of a batch.</param>
    MappedBatch CreateBatch(DataViewRow source, IReadOnlyList<DataViewSchema.Column> inputs, int slots);
}
