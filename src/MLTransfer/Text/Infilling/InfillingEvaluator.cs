using Microsoft.ML;
using MLTransfer.Columns;

namespace MLTransfer.Text.Infilling;

/// <summary>Measures how well a model fills masks.</summary>
internal static class InfillingEvaluator
{
    /// <exception cref="ArgumentException">
    /// An option is not usable, the column is missing or not text, or no text has a token.
    /// </exception>
    public static TextInfillingMetrics Evaluate(
        TextInfillingModel model, IDataView data, ColumnRole role, InfillingEvaluationOptions options, CancellationToken cancellationToken)
    {
        options.Check();
        var texts = Read(data, role, cancellationToken);
        var hidden = model.Evaluate(
            texts, options.MaskedShare, options.WholeWords, options.Seed, options.BatchSize, cancellationToken);
        if (!options.PseudoLogLikelihood)
            return new TextInfillingMetrics(hidden.Loss, hidden.Accuracy, hidden.TokenCount, null, 0);
        var scores = model.Score(texts, options.BatchSize, cancellationToken);
        var count = scores.Sum(score => (long)score.TokenCount);
        return new TextInfillingMetrics(
            hidden.Loss, hidden.Accuracy, hidden.TokenCount, scores.Sum(score => score.Sum) / count, count);
    }

    private static List<string> Read(IDataView data, ColumnRole role, CancellationToken cancellationToken)
    {
        var column = role.Find(data.Schema);
        using var cursor = data.GetRowCursor([column]);
        var getter = cursor.GetGetter<ReadOnlyMemory<char>>(column);
        var texts = new List<string>();
        ReadOnlyMemory<char> value = default;
        while (cursor.MoveNext())
        {
            cancellationToken.ThrowIfCancellationRequested();
            getter(ref value);
            if (!value.IsEmpty)
                texts.Add(value.ToString());
        }

        return texts;
    }
}
