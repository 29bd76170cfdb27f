namespace MLTransfer.Torch.Generation;

/// <summary>Why a generated sequence ended.</summary>
public enum FinishReason
{
    /// <summary>The model gave an end-of-sequence token.</summary>
    EndOfSequence,

    /// <summary>The text contains one of <see cref="GenerationOptions.StopStrings"/>.</summary>
    StopString,

    /// <summary>There are <see cref="GenerationOptions.MaximumNewTokens"/> new tokens.</summary>
    Length,
}
