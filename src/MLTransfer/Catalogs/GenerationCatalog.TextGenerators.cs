using MLTransfer.Text;
using Microsoft.ML;
using Microsoft.ML.Runtime;

namespace MLTransfer;

public sealed partial class GenerationCatalog
{
    /// <summary>The text generator of a fitted or loaded model, to stream what it writes or to generate without an IDataView.</summary>
    /// <remarks>
    /// It is the very model that the transformer generates with, in the number format of its
    /// <see cref="GenerateTextOptions.DecodingPrecision"/>: the same prompt and options give the same text. It stays the transformer's: do
    /// not dispose it, and do not use it after the transformer is disposed. Several threads may use it.
    /// </remarks>
    /// <param name="model">A transformer with a text generator of TorchSharp, or a chain of transformers with one.</param>
    /// <exception cref="ArgumentException">There is none.</exception>
    /// <exception cref="ObjectDisposedException">The transformer is disposed.</exception>
    public TextGenerationModel GetTextGenerator(ITransformer model)
    {
        _host.CheckValue(model, nameof(model));
        return TransformerChain.Find<ITextGenerator>(model, "no text generator of TorchSharp").Found.Generator;
    }
}
