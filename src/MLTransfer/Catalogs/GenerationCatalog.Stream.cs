using System.Diagnostics.CodeAnalysis;
using MLTransfer.Text;
using Microsoft.ML;

namespace MLTransfer;

public sealed partial class GenerationCatalog
{
    /// <summary>Continues one prompt and gives the text piece by piece; joined, the pieces are what <c>Transform</c> gives.</summary>
    /// <remarks>
    /// The model runs on a thread of its own, some pieces ahead at most. Several streams of one model may be read at once. Ending the
    /// enumeration early ends the work and frees its memory; where the enumerator is neither read to its end nor disposed, that happens
    /// when the garbage collector finds it.
    /// </remarks>
    /// <param name="model">A text generator, or a chain of transformers with one.</param>
    /// <param name="prompt">What the text generator reads: transformers before it in the chain are not asked. May be empty.</param>
    /// <param name="cancellationToken">Ends the work between two tokens.</param>
    /// <returns>Pieces of text, none empty and none with half a character.</returns>
    /// <exception cref="ArgumentException">The model holds no text generator.</exception>
    /// <exception cref="InvalidOperationException">
    /// The model generates with beams, or several sequences of a prompt: they are not there before their end.
    /// </exception>
    /// <exception cref="ObjectDisposedException">
    /// The model is disposed, here or before the enumeration begins. Where that happens later, the enumeration goes on.
    /// </exception>
    [SuppressMessage("Performance", "CA1822", Justification = "Called as mlContext.Generation.StreamAsync, like the rest.")]
    public IAsyncEnumerable<string> StreamAsync(ITransformer model, string prompt, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(prompt);
        return TransformerChain.Find<ITextStream>(model, "no text generator").Found.StreamAsync(prompt, cancellationToken);
    }
}
