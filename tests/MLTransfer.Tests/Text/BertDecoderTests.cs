using System.Text.Json.Nodes;
using MLTransfer.Tests.Persistence;
using Microsoft.ML;
using Microsoft.ML.Data;
using Xunit;

namespace MLTransfer.Tests.Text;

/// <summary>A BERT that is a decoder (<c>BertLMHeadModel</c>) writes with its WordPiece tokenizer as GPT-2 does with its own.</summary>
public sealed class BertDecoderTests : IDisposable
{
    private const int Beginning = 2; // [CLS]
    private const int End = 3;       // [SEP]

    private static readonly string[] s_texts = ["one old man went home", "the king is not here", "two women said nothing at all"];

    private readonly MLContext _ml = new(seed: 1);
    private readonly TemporaryFolder _folder = new();

    private static string Folder => RepositoryFiles.Data("families/bert-lm-tiny");

    public void Dispose() => _folder.Dispose();

    /// <summary>The reference's prompt begins with [CLS] and has no [SEP] behind it.</summary>
    [Fact]
    public void A_prompt_is_continued_as_the_reference_does()
    {
        var test = JsonNode.Parse(File.ReadAllText(Path.Combine(Folder, "generation.json")))!["cases"]![0]!;
        var (prompt, output) = (Ids("prompt_ids"), Ids("output_ids"));
        using var model = _ml.Generation.LoadPretrained(Folder);
        Assert.Equal(Beginning, prompt[0]);
        var text = model.Tokenizer.Decode(prompt, skipSpecialTokens: true);
        Assert.Equal([.. prompt, End], model.Tokenizer.Encode(text));

        var generated = model.Generate([text], new() { MaximumNewTokens = test["max_new_tokens"]!.GetValue<int>() })[0][0];

        Assert.Equal(output[prompt.Length..], generated.TokenIds);
        Assert.Equal(model.Tokenizer.Decode(output, skipSpecialTokens: true), text + generated.Text); // within a word, or with a space

        int[] Ids(string name) => [.. test[name]!.AsArray().Select(id => id!.GetValue<int>())];
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task It_learns_texts_and_completions_to_their_end_and_its_zip_writes_them_in_another_process(bool completes)
    {
        Story[] rows = [.. s_texts.Select(text => new Story
        {
            Opening = string.Join(' ', text.Split(' ')[..2]),
            Text = completes ? string.Join(' ', text.Split(' ')[2..]) : text,
        })];
        var data = _ml.Data.LoadFromEnumerable(rows);
        var options = new TextGeneratorOptions
        {
            PretrainedModel = Folder,
            CompletionColumnName = completes ? "Text" : null,
            RowPacking = RowPacking.None,
            Training = new() { MaximumSteps = 80, BatchSize = 3, LearningRate = 1e-2, Precision = Torch.Training.Precision.Float32 },
            ValidationFraction = 0,
            Generation = new() { MaximumNewTokens = 20 },
        };
        using var model =
            _ml.Transforms.Text.FineTuneTextGenerator("Continuation", "Opening", completes ? null : "Text", options).Fit(data);
        _ml.Model.Save(model, data.Schema, _folder["model.zip"]);

        string[] expected = [.. s_texts.Select(text => " " + string.Join(' ', text.Split(' ')[2..]))];
        Assert.Equal(expected, model.Transform(data).GetColumn<string>("Continuation"));
        Assert.Equal(End, model.Model.Generate([rows[0].Opening!], options.Generation)[0][0].TokenIds[^1]);
        var (texts, _) = await LoadingProcess.RunAsync(_folder["model.zip"], "Continuation", [.. rows.Select(row => row.Opening!)]);
        Assert.Equal(expected, texts);
    }
}
