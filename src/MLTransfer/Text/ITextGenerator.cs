namespace MLTransfer.Text;

/// <summary>A transformer whose texts a model of the engine writes.</summary>
internal interface ITextGenerator
{
    /// <summary>The model that writes them, in the number format that they are generated with; it stays the transformer's.</summary>
    /// <exception cref="ObjectDisposedException">The transformer is disposed.</exception>
    TextGenerationModel Generator { get; }
}
