using MLTransfer.Torch.Generation;
using Microsoft.ML;
using Microsoft.ML.Data;
using MLTransfer.Columns;

namespace MLTransfer.Text;

/// <summary>Brings generated texts into the types of ML.NET columns.</summary>
internal static class GeneratedValues
{
    /// <summary>A <c>ValueGetter</c> of the column's type for the texts that <paramref name="current"/> gives.</summary>
    public static Delegate CreateGetter(
        GeneratedColumn kind, int sequencesPerPrompt, Func<IReadOnlyList<GeneratedText>> current) => kind switch
    {
        GeneratedColumn.TokenIds => (ValueGetter<VBuffer<int>>)((ref VBuffer<int> value) =>
            VectorValues.Fill(ref value, current()[0].TokenIds)),
        GeneratedColumn.LogProbabilities => (ValueGetter<VBuffer<float>>)((ref VBuffer<float> value) =>
            VectorValues.Fill(ref value, current()[0].LogProbabilities)),
        _ when sequencesPerPrompt > 1 => (ValueGetter<VBuffer<ReadOnlyMemory<char>>>)((ref VBuffer<ReadOnlyMemory<char>> value) =>
            VectorValues.Fill(ref value, [.. current().Select(text => text.Text.AsMemory())])),
        _ => (ValueGetter<ReadOnlyMemory<char>>)((ref ReadOnlyMemory<char> value) => value = current()[0].Text.AsMemory()),
    };
}
