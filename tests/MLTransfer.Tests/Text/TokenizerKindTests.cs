using System.IO.Compression;
using Microsoft.ML;
using Microsoft.ML.Data;
using MLTransfer.Torch.Tokenization;
using Xunit;

namespace MLTransfer.Tests.Text;

/// <summary>A text generator works with a tokenizer of any kind: which it is comes from the files beside the weights.</summary>
public sealed class TokenizerKindTests
{
    [Theory]
    [InlineData("xlm-roberta")] // Unigram with Metaspace, tokens around a text
    [InlineData("t5", "tokenizer.json")] // SentencePiece alone
    [InlineData("split-spaces-merged")] // byte-pair with byte fallback
    [InlineData("bert-config-contradicts")] // WordPiece
    [InlineData("o200k")] // byte-level with a pattern of its own
    public void A_pipeline_trains_with_it_and_its_zip_and_folder_keep_its_files(string kind, string? without = null)
    {
        using var folder = new TemporaryFolder();
        var ml = new MLContext(seed: 1);
        string[] names = MakeModel(kind, without, folder["model"]);
        var rows = ml.Data.LoadFromEnumerable(Enumerable.Range(0, 4).Select(i => new Story { Opening = "Old", Text = $"Old man {i}." }));
        var estimator = ml.Transforms.Text.FineTuneTextGenerator("Continuation", "Opening", "Text", new TextGeneratorOptions
        {
            PretrainedModel = folder["model"],
            Training = new() { MaximumSteps = 2, BatchSize = 2, LearningRate = 1e-2 },
            ValidationFraction = 0,
            MaximumLength = 24,
            Generation = new() { MaximumNewTokens = 6 },
        });

        using var model = estimator.Fit(rows);
        ml.Model.Save(model, rows.Schema, folder["model.zip"]);
        using var loaded = (IDisposable)ml.Model.Load(folder["model.zip"], out _);
        ml.Generation.SaveModelFolder(model, folder["saved"]);

        Assert.Equal(Texts(model), Texts((ITransformer)loaded));
        foreach (var name in names)
            Assert.Equal(File.ReadAllBytes(Path.Combine(folder["model"], name)), File.ReadAllBytes(Path.Combine(folder["saved"], name)));
        Assert.Equal(
            TextTokenizer.Load(folder["model"]).Encode("Old man, ﬁne 12!"), TextTokenizer.Load(folder["saved"]).Encode("Old man, ﬁne 12!"));

        IReadOnlyList<string> Texts(ITransformer transformer) => [.. transformer.Transform(rows).GetColumn<string>("Continuation")];
    }

    /// <summary>The tiny GPT-2 with the tokenizer of another model.</summary>
    private static string[] MakeModel(string kind, string? without, string folder)
    {
        Directory.CreateDirectory(folder);
        foreach (var name in (string[])["config.json", "model.safetensors"])
            File.Copy(Path.Combine(TestData.TinyModel, name), Path.Combine(folder, name));
        using var archive = ZipFile.OpenRead(RepositoryFiles.Data("tokenizers/references.zip"));
        string[] names =
        [
            .. ((string[])["tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "spiece.model"])
                .Where(name => name != without && archive.GetEntry($"{kind}/{name}") is not null),
        ];
        foreach (var name in names)
            archive.GetEntry($"{kind}/{name}")!.ExtractToFile(Path.Combine(folder, name));
        return names;
    }
}
