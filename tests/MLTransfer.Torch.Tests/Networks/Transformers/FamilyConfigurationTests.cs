using MLTransfer.Torch.Networks.Transformers;
using MLTransfer.Torch.Networks.Transformers.Families;
using Xunit;

namespace MLTransfer.Torch.Tests.Networks.Transformers;

/// <summary>A config.json is hostile until it is read.</summary>
public class FamilyConfigurationTests
{
    public static IEnumerable<TheoryDataRow<string, string>> Entries =>
        from folder in FamilyFolders.All
        from entry in FamilyFolders.Configuration(folder.Data)
        where entry.Key is "n_layer" or "n_layers" or "num_layers" or "num_hidden_layers" or "encoder_layers" or "decoder_layers"
            or "num_decoder_layers" or "num_codebooks"
        where (folder.Data, entry.Key) is not (("bart-tiny", "num_hidden_layers") or ("t5-encoder-tiny", "num_decoder_layers")) // not read
        select new TheoryDataRow<string, string>(folder.Data, entry.Key);

    [Theory]
    [MemberData(nameof(Entries))]
    public void A_number_of_layers_beyond_all_networks_is_refused_before_they_are_made(string folder, string key)
    {
        var configuration = FamilyFolders.Configuration(folder);
        configuration[key] = 1 << 24;
        using var checkpoint = FamilyFolders.Open(folder);
        var error = Assert.Throws<InvalidDataException>(() => TransformerNetwork.Load(configuration, checkpoint, folder));
        Assert.Contains(key, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Entries_of_another_kind_name_the_entry()
    {
        foreach (var family in FamilyRegistry.All)
        {
            using var checkpoint = FamilyFolders.Open(FamilyFolders.FirstOf(family.ModelType));
            var configuration = FamilyFolders.Configuration(FamilyFolders.FirstOf(family.ModelType));
            var key = configuration.First(entry => entry.Key is "vocab_size" or "encoder_vocab_size").Key;
            configuration[key] = "many";
            var error = Assert.Throws<InvalidDataException>(() => TransformerNetwork.Load(configuration, checkpoint, family.ModelType));
            Assert.Contains(key, error.Message, StringComparison.Ordinal);
        }
    }
}
