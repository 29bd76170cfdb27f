using System.Globalization;
using MLTransfer.Columns;
using MLTransfer.Text;
using MLTransfer.Torch.Tokenization;
using Microsoft.ML;
using Microsoft.ML.Runtime;

namespace MLTransfer;

public sealed partial class GenerationCatalog
{
    /// <summary>Trains a tokenizer on a text column, for a model that is trained from nothing.</summary>
    /// <remarks>
    /// The same texts and options give the same tokenizer, in whatever order the rows come. The rows are read once; what is kept are the
    /// different words. <see cref="TextTokenizer.Save"/> writes <c>tokenizer.json</c> and <c>tokenizer_config.json</c>, which Hugging
    /// Face's
    /// libraries read.
    /// </remarks>
    /// <param name="data">The texts. Empty ones count for nothing.</param>
    /// <param name="textColumnName">The text column.</param>
    /// <param name="options">What to make; null for byte pairs at byte level with 8,000 tokens.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="ArgumentException">
    /// The column is missing or not text, an option cannot be used, no text has a word, or the characters of the texts are more than the
    /// vocabulary has room for.
    /// </exception>
    public TextTokenizer TrainTokenizer(
        IDataView data, string textColumnName, TokenizerTrainingOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(data);
        ArgumentException.ThrowIfNullOrWhiteSpace(textColumnName);
        options ??= new();
        options.Check();
        var column = ColumnRole.Text("training", textColumnName).Find(data.Schema);
        using var channel = _host.Start(nameof(TrainTokenizer));
        channel.Info($"Training a tokenizer ({options.Kind}) on column '{textColumnName}' ...");
        var tokenizer = TextTokenizer.Train(TextsOf(data, column), options, cancellationToken: cancellationToken);
        channel.Info(string.Create(CultureInfo.InvariantCulture, $"Trained a tokenizer with {tokenizer.VocabularySize} tokens."));
        return tokenizer;
    }

    /// <summary>Makes a text generator with new weights, to be trained from nothing.</summary>
    /// <remarks>
    /// <c>FineTuneTextGenerator</c> takes it as the model to start from, and <see cref="TextGenerationModel.Save"/> writes it as a folder.
    /// What it writes before it is trained means nothing.
    /// </remarks>
    /// <param name="configurationJson">
    /// The content of a <c>config.json</c>: <c>model_type</c> and the sizes, such as <c>{"model_type": "gpt2", "n_layer": 4}</c>; what is
    /// left out is as transformers has it. <c>vocab_size</c> and the ids of special tokens come from the tokenizer where they are left out.
    /// </param>
    /// <param name="tokenizer">The tokenizer.</param>
    /// <param name="seed">Decides on the weights; null for that of the <c>MLContext</c>.</param>
    /// <exception cref="ArgumentException">
    /// <c>vocab_size</c> is below the tokenizer's number of tokens, or the id of a special token is not the tokenizer's.
    /// </exception>
    /// <exception cref="InvalidDataException">The configuration is malformed.</exception>
    /// <exception cref="NotSupportedException">The architecture is not supported, or is no decoder.</exception>
    public TextGenerationModel CreateTextGenerator(string configurationJson, TextTokenizer tokenizer, long? seed = null)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(configurationJson);
        ArgumentNullException.ThrowIfNull(tokenizer);
        return NewTextGenerator.Create(configurationJson, tokenizer, seed ?? Seeds.Of(_host));
    }

    private static IEnumerable<string> TextsOf(IDataView data, DataViewSchema.Column column)
    {
        using var cursor = data.GetRowCursor([column]);
        var getter = cursor.GetGetter<ReadOnlyMemory<char>>(column);
        ReadOnlyMemory<char> text = default;
        while (cursor.MoveNext())
        {
            getter(ref text);
            yield return text.ToString();
        }
    }
}
