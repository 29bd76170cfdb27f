// Compiled by MSBuild's RoslynCodeTaskFactory in the user's build: one file, netstandard2.0 only.
#nullable enable
#pragma warning disable IDE0005 // There are no implicit usings there, as there are in the tests.
using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Text;
using Microsoft.Build.Framework;

namespace MLTransfer.Build;

/// <summary>
/// Copies shared libraries and marks one symbol version that they need as weak, so that a system without it still loads them.
/// </summary>
/// <remarks>
/// A file that does not need the version, needs it weakly already, or is no 64-bit little-endian ELF file is copied as it is.
/// </remarks>
public sealed class WeakenVersionRequirement : Microsoft.Build.Utilities.Task
{
    /// <summary>The libraries; each has the metadata <c>WeakenedPath</c>, where its copy goes.</summary>
    [Required]
    public ITaskItem[] Libraries { get; set; } = Array.Empty<ITaskItem>();

    /// <summary>The symbol version, such as <c>GLIBCXX_3.4.32</c>.</summary>
    [Required]
    public string Version { get; set; } = "";

    /// <inheritdoc/>
    public override bool Execute()
    {
        foreach (ITaskItem library in Libraries)
        {
            string source = library.GetMetadata("FullPath");
            try
            {
                CopyWeakened(source, library.GetMetadata("WeakenedPath"));
            }
            catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
            {
                Log.LogError("'{0}' cannot be copied to '{1}': {2}", source, library.GetMetadata("WeakenedPath"), exception.Message);
            }
        }
        return !Log.HasLoggedErrors;
    }

    private void CopyWeakened(string source, string destination)
    {
        byte[] content = File.ReadAllBytes(source);
        try
        {
            int weakened = ElfFile.WeakenVersionRequirement(content, Version);
            Log.LogMessage(MessageImportance.Low, "'{0}': {1} requirement(s) of {2} made weak.", source, weakened, Version);
        }
        catch (InvalidDataException exception)
        {
            Log.LogWarning("'{0}' is copied as it is, because it is not a well-formed ELF file: {1}", source, exception.Message);
        }

        Directory.CreateDirectory(Path.GetDirectoryName(destination)!);
        string aside = destination + "." + Guid.NewGuid().ToString("N");
        try
        {
            File.WriteAllBytes(aside, content);
            File.Delete(destination);
            File.Move(aside, destination);
        }
        finally
        {
            File.Delete(aside);
        }
    }
}

/// <summary>
/// The part of the ELF format (System V gABI; Linux Standard Base, "Symbol Versioning") that names needed symbol versions.
/// </summary>
internal static class ElfFile
{
    private const int HeaderSize = 64;
    private const int SectionHeaderSize = 64;
    private const uint VersionNeedsSection = 0x6ffffffe; // SHT_GNU_verneed
    private const int WeakFlag = 2; // VER_FLG_WEAK

    /// <summary>Sets the weak flag on every need of the version, in place.</summary>
    /// <returns>How many flags were set: zero for a file of another format, without the version, or with the flag set already.</returns>
    /// <exception cref="InvalidDataException">A header points outside the file; no byte was changed.</exception>
    public static int WeakenVersionRequirement(byte[] file, string version)
    {
        if (!Is64BitLittleEndian(file))
            return 0;
        List<long> flags = FlagsOfVersion(file, Encoding.ASCII.GetBytes(version)).ToList();
        int weakened = 0;
        foreach (long flag in flags)
        {
            if ((file[flag] & WeakFlag) != 0)
                continue;
            file[flag] |= WeakFlag;
            weakened++;
        }
        return weakened;
    }

    private static bool Is64BitLittleEndian(byte[] file) =>
        file.Length >= HeaderSize && file[0] == 0x7f && file[1] == 'E' && file[2] == 'L' && file[3] == 'F' && file[4] == 2 && file[5] == 1;

    /// <summary>Offsets of the flags of the version's entries.</summary>
    private static IEnumerable<long> FlagsOfVersion(byte[] file, byte[] version)
    {
        long sections = Offset(file, 0x28);
        int sectionSize = Half(file, 0x3a);
        int sectionCount = Half(file, 0x3c);
        if (sectionCount > 0 && sectionSize < SectionHeaderSize)
            throw new InvalidDataException($"a section header has {sectionSize} bytes, expected at least {SectionHeaderSize}.");

        for (int section = 0; section < sectionCount; section++)
        {
            long header = sections + (long)section * sectionSize;
            if (Word(file, header + 4) != VersionNeedsSection)
                continue;
            uint namesSection = Word(file, header + 40);
            if (namesSection >= sectionCount)
                throw new InvalidDataException($"section {section} takes its names from section {namesSection} of {sectionCount}.");
            long names = Offset(file, sections + namesSection * sectionSize + 24);
            long need = Offset(file, header + 24);
            uint needCount = Word(file, header + 44);
            for (uint i = 0; i < needCount; i++)
            {
                long entry = need + Word(file, need + 8);
                int entryCount = Half(file, need + 2);
                for (int j = 0; j < entryCount; j++)
                {
                    if (IsString(file, names + Word(file, entry + 8), version))
                        yield return entry + 4;
                    uint next = Word(file, entry + 12);
                    if (next == 0)
                        break;
                    entry += next;
                }
                uint nextNeed = Word(file, need + 12);
                if (nextNeed == 0)
                    break;
                need += nextNeed;
            }
        }
    }

    private static bool IsString(byte[] file, long offset, byte[] expected)
    {
        Check(file, offset, 1);
        int end = Array.IndexOf(file, (byte)0, (int)offset);
        if (end < 0)
            throw new InvalidDataException($"the name at {offset} has no end.");
        return new ArraySegment<byte>(file, (int)offset, end - (int)offset).SequenceEqual(expected);
    }

    private static int Half(byte[] file, long offset)
    {
        Check(file, offset, 2);
        return file[offset] | file[offset + 1] << 8;
    }

    private static uint Word(byte[] file, long offset)
    {
        Check(file, offset, 4);
        return (uint)Half(file, offset) | (uint)Half(file, offset + 2) << 16;
    }

    private static long Offset(byte[] file, long offset)
    {
        Check(file, offset, 8);
        ulong value = Word(file, offset) | (ulong)Word(file, offset + 4) << 32;
        return value <= (ulong)file.Length
            ? (long)value
            : throw new InvalidDataException($"offset {value} at {offset} lies outside the file of {file.Length} bytes.");
    }

    private static void Check(byte[] file, long offset, int size)
    {
        if (offset < 0 || offset > file.Length - size)
            throw new InvalidDataException($"{size} bytes at {offset} lie outside the file of {file.Length} bytes.");
    }
}
