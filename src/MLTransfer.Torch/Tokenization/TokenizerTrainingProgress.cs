namespace MLTransfer.Torch.Tokenization;

/// <summary>How far <see cref="TextTokenizer.Train"/> has come.</summary>
/// <param name="Stage">What is being done.</param>
/// <param name="Done">Texts that are read, or tokens that are found. Of <see cref="TokenizerTrainingStage.Pruning"/> those left.</param>
/// <param name="Total">The tokens wanted; null while texts are read.</param>
public sealed record TokenizerTrainingProgress(TokenizerTrainingStage Stage, long Done, long? Total);

/// <summary>What training a tokenizer goes through.</summary>
public enum TokenizerTrainingStage
{
    /// <summary>Texts are read and their words counted.</summary>
    Reading,

    /// <summary>Pairs are joined to tokens.</summary>
    Joining,

    /// <summary>Of too many pieces those are dropped that texts lose least by (<see cref="TokenizerKind.Unigram"/>).</summary>
    Pruning,
}
