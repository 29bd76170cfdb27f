using MLTransfer.Torch.Training.Described;

namespace MLTransfer.Torch.Tests.Training.Described;

internal sealed class ArrayRows(float[][] inputs, float[][] targets) : ITrainingRows
{
    public int Count => inputs.Length;

    public void ReadInput(int row, Span<float> values) => inputs[row].CopyTo(values);

    public void ReadTarget(int row, Span<float> values) => targets[row].CopyTo(values);

    /// <summary>Rows whose target is a fixed function of a random input.</summary>
    public static ArrayRows Random(int rows, int inputs, int targets, int seed)
    {
        var random = new Random(seed);
        float[][] values =
            [.. Enumerable.Range(0, rows).Select(_ => Enumerable.Range(0, inputs).Select(_ => random.NextSingle() - 0.5f).ToArray())];
        return new ArrayRows(
            values, [.. values.Select(row => Enumerable.Range(0, targets).Select(i => row.Sum() * (i + 1) / 4 + 0.3f).ToArray())]);
    }
}
