using MLTransfer.Onnx.Writing;
using MLTransfer.Torch.Checkpoints;
using MLTransfer.Torch.Networks.Transformers;
using Xunit;

namespace MLTransfer.Onnx.Tests;

/// <summary>The README's table of models says what can be exported. Every export is compared with the engine as it is written.</summary>
public class ModelTableTests
{
    private static readonly Dictionary<string, string[]> s_table = Page.All[0].Rows("`model_type`").ToDictionary(row => row[0].Trim('`'));

    public static IEnumerable<TheoryDataRow<string>> ModelTypes =>
        s_table.Keys.Where(key => key is not ("StyleGAN2" or "vits" or "described")).Select(key => new TheoryDataRow<string>(key));

    [Theory]
    [MemberData(nameof(ModelTypes))]
    public void Its_cell_says_what_is_exported(string modelType)
    {
        using var folder = new TemporaryFolder();
        var checkpoint = Directory.EnumerateDirectories(RepositoryFiles.Data("families")).Order(StringComparer.Ordinal)
            .Append(RepositoryFiles.Data("gpt2-tiny"))
            .First(path => ModelConfigurationFile.Read(path)["model_type"]!.ToString() == modelType);
        using var network = TransformerNetwork.Load(checkpoint);

        Assert.Equal(s_table[modelType][5], Exported(network, folder["export"]));
    }

    private static string Exported(TransformerNetwork network, string folder)
    {
        try
        {
            return OnnxExporter.Export(network, tokenizer: null, folder).Count > 0 ? "yes" : "-";
        }
        catch (NotSupportedException)
        {
            return "-";
        }
    }
}
