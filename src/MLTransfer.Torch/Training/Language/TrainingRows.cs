using MLTransfer.Torch.Networks.Transformers;

namespace MLTransfer.Torch.Training.Language;

/// <summary>Checks rows against the model before any of them is used.</summary>
internal static class TrainingRows
{
    /// <summary>The rows that have a token to predict.</summary>
    /// <param name="rows">What the user gave.</param>
    /// <param name="model">The model that is to read them.</param>
    /// <param name="parameterName">The name of the user's argument.</param>
    /// <exception cref="ArgumentException">A row does not fit the model; the message has its number, counted from 0, and what is
    /// wrong.</exception>
    public static List<TrainingExample> Usable(IReadOnlyList<TrainingExample> rows, CausalLanguageModel model, string parameterName)
    {
        for (var index = 0; index < rows.Count; index++)
        {
            if (Fault(rows[index], model) is { } fault)
                throw new ArgumentException($"Row {index} of '{parameterName}' {fault}", parameterName);
        }

        return [.. rows.Where(row => row.PredictedTokens > 0)];
    }

    private static string? Fault(TrainingExample? row, CausalLanguageModel model)
    {
        if (row is null)
            return "is null.";
        var length = row.InputIds.Length;
        if (row.Labels.Length != length)
            return $"has {length} input ids but {row.Labels.Length} labels; expected as many.";
        if (row.SequenceIds is { } sequenceIds && sequenceIds.Length != length)
            return $"has {length} input ids but {sequenceIds.Length} sequence ids; expected as many.";
        if (length > model.ContextLength)
            return $"has {length} tokens; the model's context is {model.ContextLength}. Cut it into shorter rows.";
        for (var i = 0; i < length; i++)
        {
            if ((uint)row.InputIds[i] >= (uint)model.VocabularySize)
                return $"has the token id {row.InputIds[i]}; the model's vocabulary has {model.VocabularySize}. "
                    + "Use the model's own tokenizer.";
            if (row.Labels[i] != TrainingExample.Ignored && (uint)row.Labels[i] >= (uint)model.VocabularySize)
            {
                return $"has the label {row.Labels[i]}; expected an id of the model's vocabulary of {model.VocabularySize}, "
                    + $"or {TrainingExample.Ignored} for a position that does not count.";
            }
        }

        return null;
    }
}
