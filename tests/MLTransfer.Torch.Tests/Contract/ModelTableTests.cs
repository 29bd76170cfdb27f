using MLTransfer.Torch.Networks.Transformers;
using MLTransfer.Torch.Networks.Transformers.Families;
using MLTransfer.Torch.Tests.Generation;
using MLTransfer.Torch.Tests.Generation.Infilling;
using MLTransfer.Torch.Tests.Networks.Transformers;
using Xunit;

namespace MLTransfer.Torch.Tests.Contract;

/// <summary>The README's table of models says what the registry holds and what tests prove.</summary>
public class ModelTableTests
{
    private const string Equal = "equal";
    private const string Works = "works";
    private const string No = "-";

    /// <summary>Networks that are no transformers.</summary>
    private static readonly string[] s_others = ["StyleGAN2", "vits", "described"];

    private static readonly Dictionary<string, string[]> s_table = Page.All[0].Rows("`model_type`").ToDictionary(row => row[0].Trim('`'));

    public static IEnumerable<TheoryDataRow<string>> Families =>
        FamilyRegistry.All.Select(family => new TheoryDataRow<string>(family.ModelType));

    [Fact]
    public void It_has_a_row_for_each_family_and_no_other() =>
        Assert.Equal(FamilyRegistry.All.Select(family => family.ModelType).Concat(s_others), s_table.Keys);

    [Theory]
    [MemberData(nameof(Families))]
    public void Its_cells_say_what_is_compared_with_the_reference(string modelType)
    {
        string[] folders =
        [
            .. FamilyFolders.All.Select(row => row.Data)
                .Where(folder => FamilyFolders.Configuration(folder)["model_type"]!.ToString() == modelType),
        ];
        var generated = FamilyGenerationTests.Folders.Concat(TinyInfiller.Folders).Select(row => row.Data).Append("gpt2-tiny").ToHashSet();
        using var network = FamilyFolders.LoadFamily(modelType);
        var isText = network is CausalLanguageModel { Decoder.Input.Tables.Count: 1 };

        var cells = s_table[modelType];

        Assert.Equal(6, cells.Length);
        Assert.Equal(Equal, cells[2]); // FamilyReferenceTests goes through all folders
        // bert is a masked model in one folder and a decoder in another.
        Assert.Equal(folders.Any(generated.Contains) ? Equal : isText ? Works : No, cells[3]);
        Assert.Equal(folders.Any(HasTrainingLog) ? Equal : isText || folders.Any(generated.Contains) ? Works : No, cells[4]);
    }

    private static bool HasTrainingLog(string folder) => File.Exists(Path.Combine(FamilyFolders.PathOf(folder), "training.json"));
}
