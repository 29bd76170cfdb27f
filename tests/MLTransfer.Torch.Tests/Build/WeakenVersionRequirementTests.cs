using System.Buffers.Binary;
using System.Text;
using FsCheck;
using FsCheck.Fluent;
using FsCheck.Xunit;
using MLTransfer.Build;
using Xunit;

namespace MLTransfer.Torch.Tests.Build;

public class WeakenVersionRequirementTests
{
    private const int SectionsOffset = 64;
    private const int NeedsOffset = SectionsOffset + 3 * 64;
    private const int NamesOffset = NeedsOffset + 3 * 16;

    [Fact]
    public void Only_the_flag_of_the_named_version_changes()
    {
        byte[] file = LibraryThatNeeds("GLIBCXX_3.4", "GLIBCXX_3.4.32");
        byte[] expected = [.. file];
        expected[NeedsOffset + 32 + 4] = 2;

        Assert.Equal(1, ElfFile.WeakenVersionRequirement(file, "GLIBCXX_3.4.32"));

        Assert.Equal(expected, file);
    }

    [Fact]
    public void Second_run_finds_nothing_to_do()
    {
        byte[] file = LibraryThatNeeds("GLIBCXX_3.4", "GLIBCXX_3.4.32");
        ElfFile.WeakenVersionRequirement(file, "GLIBCXX_3.4.32");

        Assert.Equal(0, ElfFile.WeakenVersionRequirement(file, "GLIBCXX_3.4.32"));
    }

    [Fact]
    public void Version_whose_name_only_begins_alike_stays_strong()
    {
        byte[] file = LibraryThatNeeds("GLIBCXX_3.4", "GLIBCXX_3.4.320");
        byte[] expected = [.. file];

        Assert.Equal(0, ElfFile.WeakenVersionRequirement(file, "GLIBCXX_3.4.32"));

        Assert.Equal(expected, file);
    }

    [Theory]
    [InlineData(0, 'M')] // not ELF
    [InlineData(4, 1)] // 32 bits
    [InlineData(5, 2)] // big-endian
    public void File_of_another_format_is_left_alone(int offset, byte value)
    {
        byte[] file = LibraryThatNeeds("GLIBCXX_3.4", "GLIBCXX_3.4.32");
        file[offset] = value;

        Assert.Equal(0, ElfFile.WeakenVersionRequirement(file, "GLIBCXX_3.4.32"));
    }

    [Property(MaxTest = 2000)]
    public Property Damaged_file_is_refused_as_malformed_or_read_without_a_fault() => Prop.ForAll(
        Gen.Choose(0, NamesOffset).Two().ToArbitrary(),
        ArbMap.Default.ArbFor<byte>(),
        (places, value) =>
        {
            byte[] file = LibraryThatNeeds("GLIBCXX_3.4", "GLIBCXX_3.4.32");
            file[places.Item1] = value;
            file[places.Item2] = 0xff;
            byte[] before = [.. file];
            try
            {
                ElfFile.WeakenVersionRequirement(file, "GLIBCXX_3.4.32");
            }
            catch (InvalidDataException)
            {
                Assert.Equal(before, file);
            }
        });

    [Property]
    public Property Truncated_file_is_refused_as_malformed_or_left_alone() => Prop.ForAll(
        Gen.Choose(0, LibraryThatNeeds("GLIBCXX_3.4", "GLIBCXX_3.4.32").Length - 1).ToArbitrary(),
        length =>
        {
            byte[] file = LibraryThatNeeds("GLIBCXX_3.4", "GLIBCXX_3.4.32")[..length];
            if (length < 64)
                Assert.Equal(0, ElfFile.WeakenVersionRequirement(file, "GLIBCXX_3.4.32"));
            else
                Assert.Throws<InvalidDataException>(() => ElfFile.WeakenVersionRequirement(file, "GLIBCXX_3.4.32"));
        });

    [Fact]
    public void Native_wrapper_in_the_output_needs_the_version_weakly()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "The wrapper for Linux is in the output of a build on Linux.");
        string library = Directory
            .EnumerateFiles(AppContext.BaseDirectory, "libLibTorchSharp.so", SearchOption.AllDirectories)
            .Single();
        byte[] file = File.ReadAllBytes(library);

        Assert.Equal(0, ElfFile.WeakenVersionRequirement(file, "GLIBCXX_3.4.32"));
        Assert.True(file.AsSpan().IndexOf("GLIBCXX_3.4.32"u8) > 0);
    }

    /// <summary>
    /// An ELF file of three sections: the null section, the versions that it needs (one file with two versions), and their names.
    /// </summary>
    private static byte[] LibraryThatNeeds(string older, string newer)
    {
        byte[] names = Encoding.ASCII.GetBytes($"{older}\0{newer}\0");
        byte[] file = new byte[NamesOffset + names.Length];
        byte[] identification = [0x7f, (byte)'E', (byte)'L', (byte)'F', 2, 1, 1];
        identification.CopyTo(file, 0);
        names.CopyTo(file, NamesOffset);
        Set64(0x28, SectionsOffset);
        Set16(0x3a, 64); // bytes of a section header
        Set16(0x3c, 3); // section headers

        const int NeedsHeader = SectionsOffset + 64;
        Set32(NeedsHeader + 4, 0x6ffffffe);
        Set64(NeedsHeader + 24, NeedsOffset);
        Set32(NeedsHeader + 40, 2); // the section of the names
        Set32(NeedsHeader + 44, 1); // needed files
        Set64(SectionsOffset + 2 * 64 + 24, NamesOffset);

        Set16(NeedsOffset + 2, 2); // versions of the file
        Set32(NeedsOffset + 8, 16); // where the first lies, from here
        Set32(NeedsOffset + 16 + 12, 16); // where the second lies, from the first
        Set32(NeedsOffset + 32 + 8, (uint)older.Length + 1); // its name
        return file;

        void Set16(int offset, ushort value) => BinaryPrimitives.WriteUInt16LittleEndian(file.AsSpan(offset), value);
        void Set32(int offset, uint value) => BinaryPrimitives.WriteUInt32LittleEndian(file.AsSpan(offset), value);
        void Set64(int offset, ulong value) => BinaryPrimitives.WriteUInt64LittleEndian(file.AsSpan(offset), value);
    }
}
