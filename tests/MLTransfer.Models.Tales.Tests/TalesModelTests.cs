using System.Buffers.Binary;
using System.Globalization;
using System.Text.Json;
using Xunit;

namespace MLTransfer.Models.Tests;

public class TalesModelTests
{
    [Fact]
    public void Folder_lies_in_the_output_of_an_application_that_references_the_project() =>
        Assert.Equal(Path.Combine(AppContext.BaseDirectory, "models", "tales"), TalesModel.Folder);

    [Fact]
    public void Folder_holds_a_model_in_Hugging_Face_layout_and_nothing_else() => Assert.Equal(
        ["config.json", "generation_config.json", "merges.txt", "model.safetensors", "special_tokens_map.json", "tokenizer.json",
            "tokenizer_config.json", "vocab.json"],
        Directory.EnumerateFiles(TalesModel.Folder).Select(file => Path.GetFileName(file)).Order(StringComparer.Ordinal));

    [Fact]
    public void Missing_folder_is_reported_with_its_path()
    {
        string application = Path.Combine(Path.GetTempPath(), "application-without-models");

        var exception = Assert.Throws<DirectoryNotFoundException>(() => TalesModel.FindIn(application));

        Assert.Contains(Path.Combine(application, "models", "tales"), exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Weights_are_float16_and_as_many_as_the_model_card_says()
    {
        byte[] file = File.ReadAllBytes(Path.Combine(TalesModel.Folder, "model.safetensors"));
        int headerSize = checked((int)BinaryPrimitives.ReadUInt64LittleEndian(file));
        using var header = JsonDocument.Parse(file.AsMemory(8, headerSize));
        var tensors = header.RootElement.EnumerateObject().Where(entry => entry.Name != "__metadata__").ToList();

        Assert.All(tensors, tensor => Assert.Equal("F16", tensor.Value.GetProperty("dtype").GetString()));
        long parameters = tensors.Sum(
            tensor => tensor.Value.GetProperty("shape").EnumerateArray().Aggregate(1L, (product, size) => product * size.GetInt64()));
        Assert.Equal(file.Length, 8 + headerSize + 2 * parameters);
        Assert.Contains(
            $"{parameters.ToString("N0", CultureInfo.InvariantCulture)}, stored as float16", ModelCard(), StringComparison.Ordinal);
    }

    [Fact]
    public void Vocabulary_has_the_size_that_the_configuration_says()
    {
        using var configuration = JsonDocument.Parse(File.ReadAllText(Path.Combine(TalesModel.Folder, "config.json")));
        using var vocabulary = JsonDocument.Parse(File.ReadAllText(Path.Combine(TalesModel.Folder, "vocab.json")));

        Assert.Equal(configuration.RootElement.GetProperty("vocab_size").GetInt32(), vocabulary.RootElement.EnumerateObject().Count());
    }

    [Fact]
    public void Model_card_counts_the_books_that_the_list_names()
    {
        string[] books = File.ReadAllLines(Path.Combine(ProjectFolder(), "BOOKS.txt"));

        Assert.Equal(books.Length, books.Distinct().Count());
        Assert.Contains($"{books.Length} public-domain books", ModelCard(), StringComparison.Ordinal);
    }

    private static string ModelCard() => File.ReadAllText(Path.Combine(ProjectFolder(), "MODEL_CARD.md"));

    private static string ProjectFolder()
    {
        string? folder = AppContext.BaseDirectory;
        while (folder is not null && !File.Exists(Path.Combine(folder, "MLTransfer.sln")))
            folder = Path.GetDirectoryName(folder);
        return Path.Combine(folder!, "src", "MLTransfer.Models.Tales");
    }
}
