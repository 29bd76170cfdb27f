using System.Globalization;

namespace MLTransfer;

/// <summary>What a network is trained on, counted before training.</summary>
/// <param name="Rows">How many rows there are; those held out for validation are among them, where they are a share of the data.</param>
/// <param name="InputValues">The numbers of a row's input.</param>
/// <param name="LabelValues">The numbers of a row's label.</param>
/// <param name="NonFiniteValues">The numbers of all rows, inputs and labels, that are NaN or infinite: training refuses them.</param>
/// <param name="NonFiniteRows">The rows that have such numbers.</param>
public sealed record NetworkDataReport(int Rows, long InputValues, long LabelValues, long NonFiniteValues, int NonFiniteRows)
{
    /// <summary>One line with all counts.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture,
        $"{Rows} rows of {InputValues} input and {LabelValues} label values; "
        + $"{NonFiniteValues} values of {NonFiniteRows} rows are not finite");
}
