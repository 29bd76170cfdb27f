using System.Text.Json.Nodes;
using MLTransfer.Torch.Generation;
using MLTransfer.Torch.Memory;
using MLTransfer.Torch.Tokenization;

namespace MLTransfer.Onnx.Generation;

/// <summary>Continues texts with an ONNX export that ONNX Runtime runs; libtorch is neither needed nor loaded.</summary>
/// <remarks>
/// <para>
/// The graph is of the kind that Hugging Face Optimum calls text-generation-with-past: inputs <c>input_ids</c>, <c>attention_mask</c> and
/// <c>position_ids</c> [batch, length] of int64 and <c>past_key_values.N.key</c> and <c>.value</c> [batch, heads, past length, head width];
/// outputs <c>logits</c> [batch, length, vocabulary] and <c>present.N.key</c> and <c>.value</c>. Past and logits are float32 or float16.
/// </para>
/// <para>Results are those of <see cref="TextGenerator"/> with the exported model but for rounding. Several threads may use one object at
/// once.</para>
/// </remarks>
public sealed class OnnxTextGenerator : IDisposable
{
    private readonly OnnxDecoder _decoder;
    private readonly TextGenerator _generator;

    private OnnxTextGenerator(OnnxExportFiles files, OnnxRuntimeOptions options, OnnxDecoder decoder, TextTokenizer tokenizer)
    {
        (Files, Options, _decoder, Tokenizer) = (files, options, decoder, tokenizer);
        _generator = new TextGenerator(decoder, tokenizer);
        TokenGenerator = new TokenGenerator(decoder, tokenizer.BeginningOfSequenceId, tokenizer.TextEndId);
    }

    /// <summary>The tokenizer.</summary>
    public TextTokenizer Tokenizer { get; }

    /// <summary>Continues token ids instead of texts.</summary>
    public TokenGenerator TokenGenerator { get; }

    /// <summary>The number of token ids.</summary>
    public int VocabularySize => _decoder.VocabularySize;

    /// <summary>The most positions that the network can see.</summary>
    public int ContextLength => _decoder.ContextLength;

    /// <summary>The content of <c>config.json</c>.</summary>
    internal JsonObject Configuration => _decoder.Configuration;

    internal TextGenerator Generator => _generator;

    internal OnnxExportFiles Files { get; }

    internal OnnxRuntimeOptions Options { get; }

    /// <summary>Loads an export.</summary>
    /// <param name="folder">Has the graph, <c>config.json</c> and the tokenizer's files.</param>
    /// <param name="options">Which graph is run, and how; null for the defaults.</param>
    /// <exception cref="ArgumentException">An option is not valid.</exception>
    /// <exception cref="DirectoryNotFoundException">There is no such folder.</exception>
    /// <exception cref="FileNotFoundException">The folder is not an export.</exception>
    /// <exception cref="InvalidDataException">
    /// A file is malformed, the graph has other inputs or outputs than a text generator with past key values, or files do not fit each
    /// other.
    /// </exception>
    /// <exception cref="NotSupportedException">The kind of tokenizer is not supported.</exception>
    public static OnnxTextGenerator Load(string folder, OnnxRuntimeOptions? options = null)
    {
        options ??= new OnnxRuntimeOptions();
        var files = OnnxExportFiles.Find(folder, options);
        var tokenizer = TextTokenizer.Load(files.Folder); // first: it is small, and fails early
        var decoder = new OnnxDecoder(files, options);
        if (tokenizer.VocabularySize <= decoder.VocabularySize)
            return new OnnxTextGenerator(files, options, decoder, tokenizer);
        decoder.Dispose();
        throw new InvalidDataException(
            $"{files.Folder}: the tokenizer has {tokenizer.VocabularySize} tokens, but the graph gives logits of {decoder.VocabularySize} "
                + "only. They "
            + "belong to different models.");
    }

    /// <summary>Continues one prompt.</summary>
    /// <returns>The generated text, without the prompt.</returns>
    /// <param name="prompt">May be empty.</param>
    /// <param name="options">Null for greedy generation with the default length.</param>
    /// <param name="cancellationToken">Ends the work between two tokens.</param>
    /// <inheritdoc cref="TextGenerator.Generate" path="/exception"/>
    public string Generate(string prompt, GenerationOptions? options = null, CancellationToken cancellationToken = default) =>
        Generate([prompt], options, cancellationToken)[0][0].Text;

    /// <inheritdoc cref="TextGenerator.Generate"/>
    public IReadOnlyList<IReadOnlyList<GeneratedText>> Generate(
        IReadOnlyList<string> prompts, GenerationOptions? options = null, CancellationToken cancellationToken = default) =>
        _generator.Generate(prompts, options, cancellationToken);

    /// <inheritdoc cref="TextGenerator.StreamAsync"/>
    public IAsyncEnumerable<string> StreamAsync(
        string prompt, GenerationOptions? options = null, CancellationToken cancellationToken = default) =>
        _generator.StreamAsync(prompt, options, cancellationToken);

    /// <summary>Frees the graph, as soon as no call uses it.</summary>
    public void Dispose() => _decoder.Dispose();

    /// <inheritdoc cref="OnnxDecoder.Hold"/>
    internal UseCount.Hold Hold() => _decoder.Hold();
}
