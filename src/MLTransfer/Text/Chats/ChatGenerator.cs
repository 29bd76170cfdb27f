using MLTransfer.Torch.Generation;
using MLTransfer.Torch.Chats;
using MLTransfer.Torch.Tokenization;

namespace MLTransfer.Text.Chats;

/// <summary>Writes the assistant's words in chats. Thread-safe.</summary>
/// <param name="generator">The model.</param>
/// <param name="tokenizer">The model's.</param>
/// <param name="publishedEnds">The tokens that end a text by <c>generation_config.json</c>; may be empty.</param>
internal sealed class ChatGenerator(TextGenerator generator, TextTokenizer tokenizer, IReadOnlyList<int> publishedEnds)
{
    private readonly Lock _lock = new();
    private (ChatForm Form, ChatReader Reader)? _last; // of most calls

    /// <summary>The model.</summary>
    public TextGenerator Generator => generator;

    /// <summary>The model's.</summary>
    public TextTokenizer Tokenizer => tokenizer;

    /// <summary>Refuses a form that no chat can be read with.</summary>
    /// <exception cref="ArgumentException">The model has no such template, or it is not valid.</exception>
    public void Check(ChatForm form) => ReaderOf(form);

    /// <summary>Continues chats, or begins new turns of the assistant in them.</summary>
    /// <returns>For each chat its texts, best first.</returns>
    /// <param name="chats">JSON, as <see cref="ChatMessages.Read"/> takes it.</param>
    /// <param name="form">How they are rendered.</param>
    /// <param name="options">How texts are generated. Where they name no token that ends a text, the end of turn does as well.</param>
    /// <param name="error">Makes the error of a chat by its index.</param>
    /// <param name="cancellationToken">Stops generation.</param>
    public IReadOnlyList<IReadOnlyList<GeneratedText>> Generate(
        IReadOnlyList<string> chats, ChatForm form, GenerationOptions options, Func<int, InvalidDataException, Exception> error,
        CancellationToken cancellationToken)
    {
        var reader = ReaderOf(form);
        return generator.GenerateFrom([.. chats.Select(Prompt)], WithEnds(options, reader.EndOfTurn), cancellationToken);

        int[] Prompt(string chat, int index)
        {
            try
            {
                return reader.Prompt(chat);
            }
            catch (InvalidDataException exception)
            {
                throw error(index, exception);
            }
        }
    }

    /// <summary>As <see cref="Generate"/> for one chat, piece by piece.</summary>
    public IAsyncEnumerable<string> StreamAsync(
        string chat, ChatForm form, GenerationOptions options, CancellationToken cancellationToken)
    {
        var (prompt, withEnds) = Read(chat, form, options);
        return generator.StreamFrom(prompt, withEnds, cancellationToken);
    }

    /// <inheritdoc cref="ChatReader.CallMarkers"/>
    public CallMarkers? CallMarkersOf(ChatForm form) => ReaderOf(form).CallMarkers;

    /// <summary>What the model goes on from, and options with what ends a turn.</summary>
    /// <inheritdoc cref="Generate" path="/param"/>
    /// <exception cref="InvalidDataException">The chat is malformed, or its template refuses it or fails with it.</exception>
    public (int[] Prompt, GenerationOptions Options) Read(string chat, ChatForm form, GenerationOptions options)
    {
        var reader = ReaderOf(form);
        return (reader.Prompt(chat), WithEnds(options, reader.EndOfTurn));
    }

    /// <summary>Answers prompts that are chats or, where they do not begin as JSON, what a user says.</summary>
    /// <inheritdoc cref="Generate" path="/param"/>
    public static IReadOnlyList<IReadOnlyList<GeneratedText>> AnswerSamples(
        TextGenerationModel model, ChatForm form, IReadOnlyList<string> prompts, GenerationOptions options,
        CancellationToken cancellationToken)
    {
        // A generator of its own puts the network into evaluation mode again.
        var chats = new ChatGenerator(new TextGenerator(model.Network, model.Tokenizer), model.Tokenizer, model.PublishedEnds);
        return chats.Generate(
            [.. prompts.Select(ChatMessages.OfPrompt)], form, options, (_, exception) => exception, cancellationToken);
    }

    private ChatReader ReaderOf(ChatForm form)
    {
        lock (_lock)
        {
            if (_last is not { } last || last.Form != form)
                _last = last = (form, new ChatReader(ChatFormat.Of(tokenizer, form.Template, "the model"), form));
            return last.Reader;
        }
    }

    private GenerationOptions WithEnds(GenerationOptions options, EndOfTurn endOfTurn)
    {
        if (options.EndOfSequenceIds is not null)
            return options;
        int?[] ends = [.. generator.EndOfSequenceIds, .. publishedEnds, tokenizer.EndOfSequenceId, endOfTurn.TokenId];
        return options with
        {
            EndOfSequenceIds = [.. ends.OfType<int>().Where(id => id < generator.VocabularySize).Distinct()],
            StopStrings = endOfTurn.Text is { } text ? [.. options.StopStrings, text] : options.StopStrings,
        };
    }
}
