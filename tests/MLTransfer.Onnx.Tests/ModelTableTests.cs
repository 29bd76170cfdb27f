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
        s_table.Keys.Where(key => key is not ("StyleGAN2" or "described" or "dallebart")).Select(key => new TheoryDataRow<string>(key));

    [Theory]
    [MemberData(nameof(ModelTypes))]
    public void Its_cell_says_whether_a_family_is_exported(string modelType)
    {
        using var folder = new TemporaryFolder();
        var checkpoint = Directory.EnumerateDirectories(RepositoryFiles.Data("families")).Order(StringComparer.Ordinal)
            .Append(RepositoryFiles.Data("gpt2-tiny"))
            .First(path => ModelConfigurationFile.Read(path)["model_type"]!.ToString() == modelType);
        using var network = TransformerNetwork.Load(checkpoint);

        Assert.Equal(s_table[modelType][5] != "-", IsExported(network, folder["export"]));
    }

    private static bool IsExported(TransformerNetwork network, string folder)
    {
        if (network is not CausalLanguageModel model)
            return false; // the exporter takes no other kind
        try
        {
            return OnnxExporter.Export(model, tokenizer: null, folder).Count > 0;
        }
        catch (NotSupportedException)
        {
            return false;
        }
    }
}
