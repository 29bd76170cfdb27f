namespace MLTransfer.Text;

/// <summary>A transformer that continues a prompt piece by piece.</summary>
internal interface ITextStream
{
    /// <summary>Continues a prompt; joined, the pieces are what <c>Transform</c> gives.</summary>
    /// <exception cref="InvalidOperationException">The options ask for beams or several sequences.</exception>
    IAsyncEnumerable<string> StreamAsync(string prompt, CancellationToken cancellationToken);
}
