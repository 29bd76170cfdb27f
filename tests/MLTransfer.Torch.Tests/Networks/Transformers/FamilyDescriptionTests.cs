using MLTransfer.Torch.Networks.Transformers;
using MLTransfer.Torch.Networks.Transformers.Families;
using Xunit;

namespace MLTransfer.Torch.Tests.Networks.Transformers;

/// <summary>The vocabulary of descriptions holds every family: nothing of a checkpoint is left over, nothing is missing.</summary>
public class FamilyDescriptionTests
{
    public static IEnumerable<TheoryDataRow<string>> Folders => FamilyFolders.All;

    [Theory]
    [MemberData(nameof(Folders))]
    public void Every_tensor_of_the_checkpoint_is_described_by_name_and_shape(string folder)
    {
        using var checkpoint = FamilyFolders.Open(folder);
        using var network = FamilyFolders.Load(folder);
        var names = new CheckpointNames(checkpoint.Tensors.Keys, network.Family);
        var described = network.CheckpointTensors().ToList();
        Assert.All(described, tensor => Assert.Equal(checkpoint.Tensors[names.Find(tensor.Key)!].Shape, tensor.Value.shape));
        Assert.Empty(names.Leftover(described.Select(tensor => tensor.Key)));
    }

    [Fact]
    public void Every_family_has_a_reference_checkpoint()
    {
        var types = FamilyFolders.All.Select(row => FamilyFolders.Configuration(row.Data)["model_type"]!.ToString()).Distinct();
        Assert.Equal(
            FamilyRegistry.All.Select(family => family.ModelType).Order(StringComparer.Ordinal), types.Order(StringComparer.Ordinal));
    }
}
