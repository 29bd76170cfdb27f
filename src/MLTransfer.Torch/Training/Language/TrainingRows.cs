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
    public static List<TrainingExample> Usable(IReadOnlyList<TrainingExample> rows, TransformerNetwork model, string parameterName)
    {
        Check(rows, model, null, parameterName);
        return [.. rows.Where(row => row.PredictedTokens > 0)];
    }

    /// <summary>Refuses rows that do not fit the model.</summary>
    /// <param name="rows">What the user gave.</param>
    /// <param name="model">The model that is to read them.</param>
    /// <param name="corruption">What makes of plain rows those that the model reads; null where they are read as they are.</param>
    /// <param name="parameterName">The name of the user's argument.</param>
    /// <exception cref="ArgumentException">A row does not fit the model; the message has its number, counted from 0, and what is
    /// wrong.</exception>
    public static void Check(
        IReadOnlyList<TrainingExample> rows, TransformerNetwork model, RowCorruption? corruption, string parameterName)
    {
        _ = model.OutputHead; // refuses an encoder that makes no logits
        for (var index = 0; index < rows.Count; index++)
        {
            if ((Fault(rows[index], model) ?? (corruption is null ? WrongKind(rows[index], model) : null)) is { } fault)
                throw new ArgumentException($"Row {index} of '{parameterName}' {fault}", parameterName);
        }
    }

    private static string? Fault(TrainingExample? row, TransformerNetwork model)
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
        if (row.EncoderIds is { } encoderIds && model.Description.Encoder is { } encoder && encoderIds.Length > encoder.Context)
            return $"has {encoderIds.Length} tokens for the encoder, whose context is {encoder.Context}. Cut it into shorter rows.";
        foreach (var id in row.InputIds.Concat(row.EncoderIds ?? []))
        {
            if ((uint)id >= (uint)model.VocabularySize)
                return $"has the token id {id}; the model's vocabulary has {model.VocabularySize}. Use the model's own tokenizer.";
        }

        foreach (var label in row.Labels)
        {
            if (label != TrainingExample.Ignored && (uint)label >= (uint)model.VocabularySize)
            {
                return $"has the label {label}; expected an id of the model's vocabulary of {model.VocabularySize}, "
                    + $"or {TrainingExample.Ignored} for a position that does not count.";
            }
        }

        return null;
    }

    private static string? WrongKind(TrainingExample row, TransformerNetwork model)
    {
        if ((row.EncoderIds is not null) != (model is EncoderDecoderModel))
        {
            return model is EncoderDecoderModel
                ? $"has nothing for the encoder to read: set {nameof(TrainingExample.EncoderIds)}."
                : $"has {nameof(TrainingExample.EncoderIds)}, but the model has no encoder beside its decoder.";
        }

        if (row.EncoderIds is not null && (row.EncoderIds.Length == 0 || row.SequenceIds is not null))
        {
            return row.SequenceIds is null
                ? $"has empty {nameof(TrainingExample.EncoderIds)}." : "is packed; encoders read one text a row.";
        }

        if (row.PredictsInPlace != model is MaskedLanguageModel)
        {
            return row.PredictsInPlace
                ? $"is predicted in place, but the model predicts the next token: leave {nameof(TrainingExample.PredictsInPlace)} off."
                : $"is predicted from the position before, but the model sees texts from both sides: mask tokens, and set "
                    + $"{nameof(TrainingExample.PredictsInPlace)}.";
        }

        return null;
    }
}
