namespace MLTransfer.Torch.Generation;

/// <summary>Sees the new tokens of one sequence as they come, without the end-of-sequence token.</summary>
internal interface ITokenMonitor
{
    /// <summary>Takes the next token.</summary>
    /// <returns>Whether the sequence ends here.</returns>
    bool Append(int token);
}
